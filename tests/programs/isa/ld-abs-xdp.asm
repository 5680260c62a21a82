# XDP programs have no packet loads of classic BPF
covers: LD_ABS_W
type: xdp
verdict: reject
message: BPF_LD_[ABS|IND] instructions not allowed for this program type
---
	r6 = r1
	r0 = *(u32 *)skb[0]
	exit
