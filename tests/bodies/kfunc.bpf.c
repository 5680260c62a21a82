// SPDX-License-Identifier: BSD-2-Clause
/* Kernel functions: iterators, sections, strings, memory. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "check.h"

int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
int bpf_iter_bits_new(struct bpf_iter_bits *it, const u64 *words, u32 count) __ksym;
int *bpf_iter_bits_next(struct bpf_iter_bits *it) __ksym;
void bpf_iter_bits_destroy(struct bpf_iter_bits *it) __ksym;
void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;
void bpf_preempt_disable(void) __ksym;
void bpf_preempt_enable(void) __ksym;
void bpf_local_irq_save(unsigned long *flags) __ksym;
void bpf_local_irq_restore(unsigned long *flags) __ksym;
int bpf_res_spin_lock(struct bpf_res_spin_lock *lock) __ksym;
void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock) __ksym;
int bpf_res_spin_lock_irqsave(struct bpf_res_spin_lock *lock, unsigned long *flags) __ksym;
void bpf_res_spin_unlock_irqrestore(struct bpf_res_spin_lock *lock, unsigned long *flags) __ksym;
void *bpf_rdonly_cast(const void *object, u32 type) __ksym;
int bpf_strcmp(const char *a, const char *b) __ksym;
int bpf_strcasecmp(const char *a, const char *b) __ksym;
int bpf_strchr(const char *s, char c) __ksym;
int bpf_strchrnul(const char *s, char c) __ksym;
int bpf_strnchr(const char *s, size_t count, char c) __ksym;
int bpf_strrchr(const char *s, int c) __ksym;
int bpf_strlen(const char *s) __ksym;
int bpf_strnlen(const char *s, size_t count) __ksym;
int bpf_strspn(const char *s, const char *accept) __ksym;
int bpf_strcspn(const char *s, const char *reject) __ksym;
int bpf_strstr(const char *s, const char *part) __ksym;
int bpf_strnstr(const char *s, const char *part, size_t length) __ksym;

long seen[64];
char long_text[70000];
u64 words[4] = {0x8000000000000001, 0, 0x10, 0};

static long sum_of(int start, int end, long *error)
{
	struct bpf_iter_num it;
	long sum = 0;
	int *number;

	*error = bpf_iter_num_new(&it, start, end);
	while ((number = bpf_iter_num_next(&it)))
		sum += *number;
	bpf_iter_num_destroy(&it);
	return sum;
}

SEC("syscall") int numbers(void *ctx)
{
	long error;

	CHECK(sum_of(0, 10, &error) == 45 && !error);
	CHECK(sum_of(-3, 3, &error) == -3 && !error);
	CHECK(sum_of(5, 5, &error) == 0 && !error);
	CHECK(sum_of(5, 4, &error) == 0 && error == -EINVAL);
	CHECK(sum_of(0, 8388609, &error) == 0 && error == -E2BIG);
	CHECK(sum_of(-2147483648, -2147483646, &error) == -4294967295 && !error);
	CHECK(sum_of(2147483645, 2147483647, &error) == 4294967291 && !error);
	return 0;
}

static long bits_of(const u64 *from, u32 count, long *error)
{
	struct bpf_iter_bits it;
	long sum = 0;
	int *bit;

	*error = bpf_iter_bits_new(&it, from, count);
	while ((bit = bpf_iter_bits_next(&it)))
		sum = sum * 1000 + *bit + 1;
	bpf_iter_bits_destroy(&it);
	return sum;
}

SEC("syscall") int bits(void *ctx)
{
	long error;

	CHECK(bits_of(words, 1, &error) == 1064 && !error);
	CHECK(bits_of(words, 2, &error) == 1064 && !error);
	CHECK(bits_of(words, 4, &error) == 1064133 && !error);
	CHECK(bits_of(words + 1, 1, &error) == 0 && !error);
	CHECK(bits_of(words, 0, &error) == 0 && error == -EINVAL);
	CHECK(bits_of(0, 1, &error) == 0 && error == -EINVAL);
	CHECK(bits_of(words, 512, &error) == 0 && error == -E2BIG);
	CHECK(bits_of((void *)64, 1, &error) == 0 && error);
	seen[0] = error;
	return 0;
}

SEC("syscall") int sections(void *ctx)
{
	unsigned long flags;

	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	bpf_preempt_disable();
	bpf_preempt_enable();
	bpf_local_irq_save(&flags);
	bpf_local_irq_restore(&flags);
	return 0;
}

struct locked {
	struct bpf_res_spin_lock lock;
	int count;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct locked);
} locks SEC(".maps");

SEC("tc") int resilient_lock(struct __sk_buff *skb)
{
	u32 key = 0;
	struct locked *a = bpf_map_lookup_elem(&locks, &key), *b = bpf_map_lookup_elem(&locks, &key);
	unsigned long flags;
	int ret;

	if (!a || !b)
		return __LINE__;
	ret = bpf_res_spin_lock(&a->lock);
	if (ret)
		return __LINE__;
	ret = bpf_res_spin_lock(&b->lock);
	if (!ret) {
		bpf_res_spin_unlock(&b->lock);
		bpf_res_spin_unlock(&a->lock);
		return __LINE__;
	}
	seen[0] = ret;
	bpf_res_spin_unlock(&a->lock);
	ret = bpf_res_spin_lock_irqsave(&a->lock, &flags);
	if (ret)
		return __LINE__;
	a->count++;
	bpf_res_spin_unlock_irqrestore(&a->lock, &flags);
	return 0;
}

char high[] = "gr\xfc\xdf"
	      "e\xd7";

SEC("syscall") int strings_compared(void *ctx)
{
	CHECK(bpf_strcmp("skep", "skep") == 0);
	CHECK(bpf_strcmp("skep", "skepticism") == -1);
	CHECK(bpf_strcmp("skf", "skep") == 1);
	CHECK(bpf_strcmp("", "") == 0);
	seen[0] = bpf_strcmp(high, "gra");
	seen[1] = bpf_strcmp("gra", high);
	CHECK(bpf_strcasecmp("SkEp", "sKeP") == 0);
	CHECK(bpf_strcasecmp("SKEQ", "skep") == 1);
	CHECK(bpf_strcasecmp("[", "{") == -1);
	seen[2] = bpf_strcasecmp(high, "GR\xdc\xdf"
				       "E\xf7");
	seen[3] = bpf_strcasecmp(high, "GR\xdc\xff"
				       "E\xd7");
	return 0;
}

SEC("syscall") int characters_found(void *ctx)
{
	CHECK(bpf_strchr("abcabc", 'c') == 2);
	CHECK(bpf_strchr("abcabc", 'x') == -ENOENT);
	CHECK(bpf_strchr("abc", '\0') == 3);
	CHECK(bpf_strchrnul("abcabc", 'x') == 6);
	CHECK(bpf_strchrnul("abcabc", 'b') == 1);
	CHECK(bpf_strnchr("abcabc", 2, 'c') == -ENOENT);
	CHECK(bpf_strnchr("abcabc", 3, 'c') == 2);
	CHECK(bpf_strnchr("abc", 0, 'a') == -ENOENT);
	CHECK(bpf_strnchr("abc", 100, '\0') == 3);
	CHECK(bpf_strrchr("abcabc", 'b') == 4);
	CHECK(bpf_strrchr("abcabc", '\0') == 6);
	CHECK(bpf_strrchr("abcabc", 'x') == -ENOENT);
	seen[0] = bpf_strrchr(high, 0xfc);
	seen[1] = bpf_strrchr(high, (char)0xfc);
	seen[2] = bpf_strchr(high, 0xfc);
	return 0;
}

SEC("syscall") int lengths(void *ctx)
{
	CHECK(bpf_strlen("") == 0);
	CHECK(bpf_strlen("abc") == 3);
	CHECK(bpf_strnlen("abc", 2) == 2);
	CHECK(bpf_strnlen("abc", 3) == 3);
	CHECK(bpf_strnlen("abc", 30) == 3);
	CHECK(bpf_strspn("aabbc", "ab") == 4);
	CHECK(bpf_strspn("aabb", "ab") == 4);
	CHECK(bpf_strspn("xaabb", "ab") == 0);
	CHECK(bpf_strspn("abc", "") == 0);
	CHECK(bpf_strcspn("aabbc", "cb") == 2);
	CHECK(bpf_strcspn("aabb", "x") == 4);
	CHECK(bpf_strcspn("abc", "") == 3);
	return 0;
}

SEC("syscall") int strings_found(void *ctx)
{
	CHECK(bpf_strstr("hello world", "world") == 6);
	CHECK(bpf_strstr("hello world", "worlds") == -ENOENT);
	CHECK(bpf_strstr("hello", "") == 0);
	CHECK(bpf_strstr("", "") == 0);
	CHECK(bpf_strstr("", "a") == -ENOENT);
	CHECK(bpf_strstr("aaab", "aab") == 1);
	CHECK(bpf_strnstr("hello world", "world", 11) == 6);
	CHECK(bpf_strnstr("hello world", "world", 10) == -ENOENT);
	CHECK(bpf_strnstr("hello", "", 0) == 0);
	CHECK(bpf_strnstr("hello", "h", 0) == -ENOENT);
	CHECK(bpf_strnstr("hello", "hell", 4) == 0);
	CHECK(bpf_strnstr("hello", "hell", 3) == -ENOENT);
	return 0;
}

SEC("syscall") int strings_that_are_none(void *ctx)
{
	CHECK(bpf_strcmp((void *)0, "a") == -ERANGE);
	CHECK(bpf_strcmp("a", (void *)0) == -ERANGE);
	CHECK(bpf_strlen((void *)1) == -ERANGE);
	CHECK(bpf_strchr((void *)0, 'a') == -ERANGE);
	CHECK(bpf_strrchr((void *)0, 'a') == -ERANGE);
	CHECK(bpf_strspn((void *)0, "a") == -ERANGE);
	CHECK(bpf_strcspn("a", (void *)0) == -ERANGE);
	CHECK(bpf_strstr((void *)0, "a") == -ERANGE);
	CHECK(bpf_strlen((void *)0xff00000000000000) == -ERANGE);
	CHECK(bpf_strlen((void *)0xffff800000000000) == -EFAULT);
	CHECK(bpf_strcmp("a", (void *)0xffff800000000000) == -EFAULT);
	CHECK(bpf_strstr((void *)0xffff800000000000, "a") == -EFAULT);
	return 0;
}

static long fill(u32 at, void *ctx)
{
	if (at < sizeof(long_text))
		long_text[at] = 'a';
	return 0;
}

SEC("syscall") int strings_too_long(void *ctx)
{
	bpf_loop(sizeof(long_text), fill, 0, 0);
	seen[0] = bpf_strlen(long_text);
	seen[1] = bpf_strnlen(long_text, 65536);
	seen[2] = bpf_strnlen(long_text, 65535);
	seen[3] = bpf_strnlen(long_text, 69000);
	seen[4] = bpf_strcmp(long_text, long_text);
	seen[5] = bpf_strchr(long_text, 'b');
	seen[6] = bpf_strnchr(long_text, 65536, 'b');
	seen[7] = bpf_strnchr(long_text, 65535, 'b');
	seen[8] = bpf_strchrnul(long_text, 'b');
	seen[9] = bpf_strrchr(long_text, 'a');
	seen[10] = bpf_strspn(long_text, "a");
	seen[11] = bpf_strcspn(long_text, "b");
	seen[12] = bpf_strspn("b", long_text);
	seen[13] = bpf_strcspn("b", long_text);
	seen[14] = bpf_strstr(long_text, "b");
	seen[15] = bpf_strnstr(long_text, "b", 65536);
	seen[16] = bpf_strnstr(long_text, "b", 65535);
	seen[17] = bpf_strnstr(long_text, long_text, 65000);
	return 0;
}

struct pair {
	int first, second;
};

struct pair pair = {3, 4};

SEC("syscall") int cast(void *ctx)
{
	int *number = bpf_rdonly_cast(&pair.second, 0);

	CHECK(number);
	seen[0] = *number;
	number = bpf_rdonly_cast((void *)8, 0);
	seen[1] = *number;
	return 0;
}

char _license[] SEC("license") = "GPL";
