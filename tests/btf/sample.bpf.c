// SPDX-License-Identifier: BSD-2-Clause
/* Types of every kind that clang 14 writes, for the tests of src/btf. Never loaded as a
 * program. */
#define TAG(name)      __attribute__((btf_decl_tag(name)))
#define TYPE_TAG(name) __attribute__((btf_type_tag(name)))
#define SEC(name)      __attribute__((section(name), used))

enum color { RED, GREEN = 7, BLUE = -1 };
enum big { SMALL = 1, LARGE = 0x80000000u };
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

struct forward;
union forward_union;

struct bits {
	int sign : 3;
	unsigned wide : 17;
	enum color color : 8;
	_Bool flag : 1;
	u64 longest : 47;
};

struct node {
	struct node *next;
	const volatile struct forward *unknown;
	union forward_union *unknown_union;
	int (*call)(struct node *self, const char *name, ...);
	void *anything;
};

struct TAG("outer") everything {
	char text[16];
	u8 bytes[6];
	u16 port TAG("member");
	struct bits bits;
	union {
		u32 word;
		float real;
		struct {
			short low, high;
		};
	};
	double precise;
	__int128 huge;
	_Bool truth;
	enum color color;
	enum big big;
	struct node nodes[2];
	int matrix[2][3];
	int TYPE_TAG("user") * tagged;
	const int constant;
	char tail[];
};

/* What bpftool can show (no float), arrays of bytes last (libbpf 1.1 shows bytes behind them as
 * characters). */
typedef char letter;
struct shown {
	struct bits bits;
	enum color color;
	enum big big;
	__int128 huge;
	_Bool truth;
	struct node *pointer;
	int matrix[2][3];
	struct {
		short low, high;
	} pairs[2];
	union {
		u32 word;
		u16 half[2];
	};
	u64 total;
	long long change;
	u8 bytes[6];
	char text[16];
	letter letters[4];
};

static volatile int counter;
const u64 limit = 10;
struct everything everything;
struct node *head;
struct shown shown;
static char *restrict_user(char *__restrict a, const char *__restrict b)
{
	return a ? a : (char *)b;
}

__attribute__((noinline)) int helper(int value TAG("argument"), u64 other)
{
	return value + other;
}

SEC("xdp") int entry(void *ctx)
{
	counter++;
	return helper(counter, limit) + !!restrict_user(ctx, ctx) + !!head + shown.truth +
	       everything.truth;
}

char _license[] SEC("license") = "Dual BSD/GPL";
