/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash maps as absl::flat_hash_map for native code, which is compiled as C++ then, with this file
 * before it: a table of one thread that is known to be fast.
 */
#ifndef ABSLMAP_H
#define ABSLMAP_H

#include <absl/container/flat_hash_map.h>
#include <cstring>

/* Keys are bytes; those of 4 are numbers. */
template <class K> struct abslkey {
	K key;

	bool operator==(const abslkey &other) const
	{
		return !memcmp(&key, &other.key, sizeof(key));
	}
	template <class H> friend H AbslHashValue(H hash, const abslkey &key)
	{
		if constexpr (sizeof(K) == sizeof(uint32_t))
			return H::combine(std::move(hash), *(const uint32_t *)&key.key);
		else
			return H::combine_contiguous(std::move(hash), (const char *)&key.key,
						     sizeof(K));
	}
};

template <class K, class V> struct abslmap {
	absl::flat_hash_map<abslkey<K>, V> map;

	explicit abslmap(size_t count)
	{
		map.reserve(count);
	}
	V *lookup(const K *key)
	{
		auto found = map.find(abslkey<K>{*key});

		return found == map.end() ? nullptr : &found->second;
	}
	int update(const K *key, const V *value)
	{
		map.insert_or_assign(abslkey<K>{*key}, *value);
		return 0;
	}
	int remove(const K *key)
	{
		return map.erase(abslkey<K>{*key}) ? 0 : -2;
	}
};

#endif
