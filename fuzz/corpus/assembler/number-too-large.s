r1 = 0xffffffffffffffffffff ll
