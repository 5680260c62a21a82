#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes include/tables.h: the read-only tables of the compute benchmarks."""
import random, sys
R = random.Random(12345)
out = []
def arr(name, ctype, vals, per=16):
    out.append("static const %s %s[%d] = {" % (ctype, name, len(vals)))
    for i in range(0, len(vals), per):
        out.append("\t" + ",".join(str(v) for v in vals[i:i+per]) + ",")
    out.append("};")
def guard(n): out.append("#ifdef USE_%s" % n)
def end(): out.append("#endif")

# crc32 (reflected, poly edb88320)
t = []
for i in range(256):
    c = i
    for _ in range(8): c = (c >> 1) ^ (0xEDB88320 if c & 1 else 0)
    t.append(c)
guard("CRC"); arr("crc_tab", "unsigned int", t, 8); end()

# sha-256 constants from cube roots of primes
def icbrt(n):
    x = int(round(n ** (1/3)))
    while x**3 > n: x -= 1
    while (x+1)**3 <= n: x += 1
    return x
primes = [p for p in range(2, 312) if all(p % q for q in range(2, p))][:64]
guard("SHA"); arr("sha_k", "unsigned int", [icbrt(p << 96) & 0xffffffff for p in primes], 8); end()

# base64 alphabet
al = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
guard("B64"); arr("b64_tab", "unsigned char", [ord(c) for c in al]); end()

# UTF-8 validity: byte classes and a 9-state machine, from the definition in RFC 3629
def cls(b):
    if b < 0x80: return 0
    if b < 0x90: return 1
    if b < 0xa0: return 2
    if b < 0xc0: return 3
    if b < 0xc2: return 4
    if b < 0xe0: return 5
    if b == 0xe0: return 6
    if b == 0xed: return 8
    if b < 0xf0: return 7
    if b == 0xf0: return 9
    if b < 0xf4: return 10
    if b == 0xf4: return 11
    return 4
# states: 0 ok 1 bad 2 need1 3 need2 4 e0 5 ed 6 f0 7 need3 8 f4
T = [[1]*16 for _ in range(16)]
T[0][0] = 0; T[0][5] = 2; T[0][6] = 4; T[0][7] = 3; T[0][8] = 5; T[0][9] = 6; T[0][10] = 7; T[0][11] = 8
for c in (1, 2, 3): T[2][c] = 0; T[3][c] = 2; T[7][c] = 3
T[4][3] = 2
T[5][1] = 2; T[5][2] = 2
T[6][2] = 3; T[6][3] = 3
T[8][1] = 3
guard("UTF8")
arr("u8_cls", "unsigned char", [cls(b) for b in range(256)])
arr("u8_next", "unsigned char", [T[s][c] for s in range(16) for c in range(16)])
end()

# sorted array
guard("SORTED")
v = sorted(R.sample(range(1 << 32), 1024)); arr("sorted", "unsigned int", v, 8); end()

# binary trie over IPv4 prefixes, 4096 nodes {left,right,value}
nodes = [[0, 0, 0]]
while len(nodes) < 4000:
    ln = R.randint(6, 28); a = R.getrandbits(32); n = 0
    for i in range(ln):
        b = a >> (31 - i) & 1
        if not nodes[n][b]:
            if len(nodes) >= 4095: break
            nodes.append([0, 0, 0]); nodes[n][b] = len(nodes) - 1
        n = nodes[n][b]
    nodes[n][2] = R.randint(1, 65535)
while len(nodes) < 4096: nodes.append([0, 0, 0])
guard("TRIE")
out.append("struct tnode { unsigned short kid[2]; unsigned short val, pad; };")
out.append("static const struct tnode trie[4096] = {")
for i in range(0, 4096, 8):
    out.append("\t" + ",".join("{{%d,%d},%d,0}" % tuple(x) for x in nodes[i:i+8]) + ",")
out.append("};"); end()

# small neural network: 64 -> 32 -> 8, int8-ish weights in int
guard("MLP")
arr("w1", "signed char", [R.randint(-128, 127) for _ in range(64 * 32)])
arr("w2", "signed char", [R.randint(-128, 127) for _ in range(32 * 8)])
end()

# 16-state table driven lexer: class of byte, next state/action
guard("LEX")
arr("lex_cls", "unsigned char", [0 if chr(b).isspace() else 1 if chr(b).isdigit() else 2 if chr(b).isalpha() else 3 if b < 64 else 4 if b < 128 else 5 + b % 3 for b in range(256)])
arr("lex_next", "unsigned char", [R.randint(0, 15) for _ in range(16 * 8)])
arr("lex_act", "unsigned short", [R.randint(0, 65535) for _ in range(16 * 8)])
end()
open(sys.argv[1], "w").write("/* written by tools/gen_tables.py */\n" + "\n".join(out) + "\n")
