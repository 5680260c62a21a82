# type id 0 is no kernel variable
covers: LD_BTF_ID
verdict: reject
---
	r1 = btf_id 0 ll
	r0 = 0
	exit
