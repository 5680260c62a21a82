// SPDX-License-Identifier: BSD-2-Clause
/* Types for the tests of written values; each is reached through a variable of its name. */
typedef unsigned short __be16;
typedef unsigned int __be32;
enum color { RED, GREEN = 7 };
struct pair {
	unsigned short a;
	int b;
};
struct deep {
	struct pair pairs[2];
	enum color color;
	char text[4];
	unsigned bits : 3;
};
struct in6 {
	unsigned char bytes[16];
};

unsigned char byte;
int number;
unsigned long long large;
_Bool truth;
__be16 port;
__be32 address;
enum color color;
struct pair pair;
struct deep deep;
struct in6 in6;
unsigned char mac[6];
