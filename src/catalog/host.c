/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/host.h"

const struct host_function *host_function_by_type(const struct host *host, u32 btf_id)
{
	for (u32 i = 0; host && i < host->function_cnt; i++)
		if (host->functions[i].btf_id == btf_id)
			return &host->functions[i];
	return NULL;
}

const struct host_function *host_function_by_helper(const struct host *host, u32 helper_id)
{
	for (u32 i = 0; host && i < host->function_cnt; i++)
		if (host->functions[i].helper_id == helper_id)
			return &host->functions[i];
	return NULL;
}

const struct host_hook *host_hook_by_type(const struct host *host, u32 btf_id)
{
	for (u32 i = 0; host && i < host->hook_cnt; i++)
		if (host->hooks[i].btf_id == btf_id)
			return &host->hooks[i];
	return NULL;
}

const struct skep_map_type *host_map_type(const struct host *host, u32 type)
{
	for (u32 i = 0; host && i < host->map_type_cnt; i++)
		if (host->map_types[i].type == type)
			return &host->map_types[i];
	return NULL;
}
