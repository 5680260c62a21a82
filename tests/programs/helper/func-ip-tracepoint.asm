# only functions have an address that a program can ask for
type: raw_tracepoint
verdict: reject
reason: no_function_ip
message: func bpf_get_func_ip#173 not supported for program type 17
---
	call 173
	exit
