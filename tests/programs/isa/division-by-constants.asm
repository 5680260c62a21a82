# quotients and remainders by constants, of numbers that are not known before the program runs
result: 0
---
	call 7			# get_prandom_u32
	r6 = r0
	r7 = r0
	r7 <<= 32
	r7 |= r6
	r7 ^= 0x5bd1e995
	# by 7, 64 bits: quotient * 7 + remainder is the number, and the remainder less than 7
	r0 = 1
	r1 = r7
	r1 /= 7
	r2 = r7
	r2 %= 7
	if r2 >= 7 goto out
	r1 *= 7
	r1 += r2
	if r1 != r7 goto out
	# by 0xbc88ffffffff1234
	r0 = 2
	r3 = -1131863458
	r1 = r7
	r1 /= -1131863458
	r2 = r7
	r2 %= -1131863458
	if r2 >= r3 goto out
	r1 *= -1131863458
	r1 += r2
	if r1 != r7 goto out
	# 32 bits, by 1000 and by 2147483655
	r0 = 3
	w1 = w7
	w1 /= 1000
	w2 = w7
	w2 %= 1000
	if w2 >= 1000 goto out
	w1 *= 1000
	w1 += w2
	if w1 != w7 goto out
	r0 = 4
	w1 = w7
	w1 /= -2147483641
	w2 = w7
	w2 %= -2147483641
	if w2 >= -2147483641 goto out
	w1 *= -2147483641
	w1 += w2
	if w1 != w7 goto out
	r0 = 0
out:
	exit
