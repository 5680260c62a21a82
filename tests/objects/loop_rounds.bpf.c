// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rounds of loops of unknown length: what one leaves behind and a later one relies upon, loops
 * in loops, loops that call, numbers on the stack and numbers that are linked.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "loops.h"
#include "verdict.h"

#define STATIC static __attribute__((noinline))

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
extern int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *t,
			     unsigned int flags) __ksym;
extern struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym;
extern void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

struct elem {
	struct bpf_timer timer;
	long n;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, struct elem);
} timers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct filled {
	__u64 a, b, i;
	char buf[32];
};

int array[64];
long sink;

STATIC int counts(__u32 round, void *context)
{
	sink += round;
	return 0;
}

STATIC int stores_below_32(__u32 i, struct filled *c)
{
	if (c->i >= 32)
		return 1;
	c->buf[c->i] = 1;
	c->i++;
	return 0;
}

SEC("tc") ACCEPT int callback_index_checked(struct __sk_buff *skb)
{
	struct filled c = {};

	bpf_loop(100, stores_below_32, &c, 0);
	return c.buf[3];
}

STATIC int stores_and_grows(__u32 i, struct filled *c)
{
	array[c->i] = 1;
	c->i += 8;
	return 0;
}

SEC("tc") REJECT("invalid access to map value") int callback_index_grows(struct __sk_buff *skb)
{
	struct filled c = {};

	bpf_loop(100, stores_and_grows, &c, 0);
	return 0;
}

SEC("tc")
REJECT("invalid access to map value") int callback_index_grows_out(struct __sk_buff *skb)
{
	struct filled c = {};

	bpf_loop(9, stores_and_grows, &c, 0);
	return 0;
}

STATIC int adds_round(__u32 i, __u64 *s)
{
	*s += i;
	return 0;
}

STATIC int adds_rounds(__u32 i, __u64 *s)
{
	bpf_loop(10, adds_round, s, 0);
	return 0;
}

SEC("tc") ACCEPT int callback_nested_branches(struct __sk_buff *skb)
{
	__u64 what = skb->len, mask = 0, s;

	BRANCHES_16
	s = mask;
	bpf_loop(10, adds_rounds, &s, 0);
	sink = s;
	return 0;
}

SEC("tc") REJECT("unbounded memory access") int callback_nested_used(struct __sk_buff *skb)
{
	__u64 s = 0;

	bpf_loop(10, adds_rounds, &s, 0);
	array[s] = 1;
	return 0;
}

STATIC int flips(__u32 i, __u64 *s)
{
	if (*s == 1)
		*s = 2;
	else
		*s = 1;
	return 0;
}

SEC("tc") ACCEPT int flag_in_callback(struct __sk_buff *skb)
{
	__u64 s = 0;

	bpf_loop(10, flips, &s, 0);
	if (s < 3)
		array[s] = 1;
	return 0;
}

STATIC int sets_pointer(__u32 i, void **p)
{
	*p = &array[4];
	return 0;
}

SEC("tc")
REJECT("invalid mem access 'scalar'") int callback_pointer_or_number(struct __sk_buff *skb)
{
	void *p = 0;

	bpf_loop(10, sets_pointer, &p, 0);
	*(volatile int *)p = 1;
	return 0;
}

SEC("tc") ACCEPT int callback_pointer_changes(struct __sk_buff *skb)
{
	void *p = &array[0];

	bpf_loop(10, sets_pointer, &p, 0);
	*(volatile int *)p = 1;
	return 0;
}

STATIC int iterates(__u32 i, __u64 *s)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 10);
	while (bpf_iter_num_next(&it))
		*s += 1;
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("tc") ACCEPT int iter_in_callback_branches(struct __sk_buff *skb)
{
	__u64 what = skb->len, mask = 0, s;

	BRANCHES_16
	s = mask;
	bpf_loop(10, iterates, &s, 0);
	sink = s;
	return 0;
}

SEC("tc") ACCEPT int callback_in_iter_branches(struct __sk_buff *skb)
{
	__u64 what = skb->len, mask = 0, s;

	BRANCHES_16
	s = mask;
	struct bpf_iter_num it;
	bpf_iter_num_new(&it, 0, 10);
	while (bpf_iter_num_next(&it))
		bpf_loop(10, adds_round, &s, 0);
	bpf_iter_num_destroy(&it);
	sink = s;
	return 0;
}

SEC("tc") ACCEPT int three_nested(struct __sk_buff *skb)
{
	__u64 s = 0;
	struct bpf_iter_num a, b, c;

	bpf_iter_num_new(&a, 0, 10);
	while (bpf_iter_num_next(&a)) {
		bpf_iter_num_new(&b, 0, 10);
		while (bpf_iter_num_next(&b)) {
			bpf_iter_num_new(&c, 0, 10);
			while (bpf_iter_num_next(&c))
				s++;
			bpf_iter_num_destroy(&c);
		}
		bpf_iter_num_destroy(&b);
	}
	bpf_iter_num_destroy(&a);
	sink = s;
	return 0;
}

SEC("tc") ACCEPT int spilled_counter(struct __sk_buff *skb)
{
	volatile __u64 n = 0;
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 64);
	while (bpf_iter_num_next(&it)) {
		if (n < 64) {
			__u64 k = n;
			if (k < 64)
				array[k]++;
			n = n + 1;
		}
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("tc") REJECT("invalid access to map value") int spilled_index_grows(struct __sk_buff *skb)
{
	volatile __u64 n = 0;
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 64);
	while (bpf_iter_num_next(&it)) {
		__u64 k = n;
		array[k]++;
		n = k + 1;
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("tc") ACCEPT int linked_in_loop(struct __sk_buff *skb)
{
	__u64 a = skb->len, b;
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 64);
	while (bpf_iter_num_next(&it)) {
		asm volatile("%0 = %1; %0 += 4;" : "=r"(b) : "r"(a));
		if (a < 60)
			asm volatile("r1 = %0 ll; r1 += %1; *(u8 *)(r1 + 0) = 1;" ::"i"(array),
				     "r"(b)
				     : "r1", "memory");
		a = bpf_get_prandom_u32();
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("tc") REJECT("unbounded memory access") int linked_broken(struct __sk_buff *skb)
{
	__u64 a = skb->len, b;
	struct bpf_iter_num it;

	asm volatile("%0 = %1; %0 += 4;" : "=r"(b) : "r"(a));
	bpf_iter_num_new(&it, 0, 64);
	while (bpf_iter_num_next(&it)) {
		a = bpf_get_prandom_u32();
		asm volatile("" : "+r"(a));
	}
	bpf_iter_num_destroy(&it);
	if (a < 60)
		asm volatile("r1 = %0 ll; r1 += %1; *(u8 *)(r1 + 0) = 1;" ::"i"(array), "r"(b)
			     : "r1", "memory");
	return 0;
}

STATIC int ticks_once(void *map, int *key, struct elem *e)
{
	__u64 what = e->n, mask = 0;

	BRANCHES_16
	e->n = mask;
	bpf_timer_start(&e->timer, 1000, 0);
	return 0;
}

STATIC int ticks_again(void *map, int *key, struct elem *e)
{
	bpf_timer_set_callback(&e->timer, ticks_again);
	bpf_timer_start(&e->timer, 1000, 0);
	return 0;
}

SEC("tc") ACCEPT int timer_branches(struct __sk_buff *skb)
{
	int k = 0;
	struct elem *e = bpf_map_lookup_elem(&timers, &k);
	__u64 what = skb->len, mask = 0;

	if (!e)
		return 0;
	BRANCHES_16
	bpf_timer_init(&e->timer, &timers, 1);
	bpf_timer_set_callback(&e->timer, ticks_once);
	bpf_timer_start(&e->timer, mask, 0);
	return 0;
}

SEC("tc") ACCEPT int timer_again(struct __sk_buff *skb)
{
	int k = 0;
	struct elem *e = bpf_map_lookup_elem(&timers, &k);
	__u64 what = skb->len, mask = 0;

	if (!e)
		return 0;
	BRANCHES_16
	bpf_timer_init(&e->timer, &timers, 1);
	bpf_timer_set_callback(&e->timer, ticks_again);
	bpf_timer_start(&e->timer, mask, 0);
	return 0;
}

SEC("?tp_btf/task_newtask") ACCEPT int tasks_branches(void *ctx)
{
	struct bpf_iter_task it;
	struct task_struct *t;
	__u64 what = bpf_get_prandom_u32(), mask = 0;

	BRANCHES_16
	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, 0);
	while ((t = bpf_iter_task_next(&it))) {
		what = t->pid;
		BRANCHES_8
	}
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	sink = mask;
	return 0;
}

SEC("?tp_btf/task_newtask") ACCEPT int tasks_keep(void *ctx)
{
	struct bpf_iter_task it;
	struct task_struct *t, *last = 0;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, 0);
	while ((t = bpf_iter_task_next(&it)))
		last = t;
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	return last ? last->pid : 0;
}

SEC("tc") ACCEPT int ring_in_iter(struct __sk_buff *skb)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 64);
	while (bpf_iter_num_next(&it)) {
		long *r = bpf_ringbuf_reserve(&ring, 8, 0);
		if (!r)
			break;
		if (skb->len & 1) {
			*r = 1;
			bpf_ringbuf_submit(r, 0);
		} else
			bpf_ringbuf_discard(r, 0);
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("tc") REJECT("Unreleased reference") int ring_leaks_in_iter(struct __sk_buff *skb)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 64);
	while (bpf_iter_num_next(&it)) {
		long *r = bpf_ringbuf_reserve(&ring, 8, 0);
		if (!r)
			break;
		if (skb->len & 1) {
			*r = 1;
			bpf_ringbuf_submit(r, 0);
		}
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("tc") ACCEPT int state_machine(struct __sk_buff *skb)
{
	int st = 0;
	struct bpf_iter_num it;
	int *v;

	bpf_iter_num_new(&it, 0, 64);
	while ((v = bpf_iter_num_next(&it))) {
		switch (st) {
		case 0:
			if (*v & 1)
				st = 1;
			break;
		case 1: st = *v & 2 ? 2 : 0; break;
		case 2: st = 3; break;
		default: st = 0;
		}
	}
	bpf_iter_num_destroy(&it);
	array[st] = 1;
	return 0;
}

SEC("tc") ACCEPT int parse_options(struct __sk_buff *skb)
{
	__u32 off = 20, n = 0;

	for (int i = 0; i < 40; i++) {
		__u8 k, l;
		if (off > 60)
			break;
		if (bpf_skb_load_bytes(skb, off, &k, 1))
			break;
		if (k == 0)
			break;
		if (k == 1) {
			off++;
			continue;
		}
		if (bpf_skb_load_bytes(skb, off + 1, &l, 1))
			break;
		if (l < 2)
			break;
		n++;
		off += l;
	}
	sink = n;
	return 0;
}

SEC("tc") ACCEPT int parse_options_iter(struct __sk_buff *skb)
{
	__u32 off = 20, n = 0;
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 40);
	while (bpf_iter_num_next(&it)) {
		__u8 k, l;
		if (off > 60)
			break;
		if (bpf_skb_load_bytes(skb, off, &k, 1))
			break;
		if (k == 0)
			break;
		if (k == 1) {
			off++;
			continue;
		}
		if (bpf_skb_load_bytes(skb, off + 1, &l, 1))
			break;
		if (l < 2)
			break;
		n++;
		off += l;
	}
	bpf_iter_num_destroy(&it);
	sink = n;
	return 0;
}

/* Numbers that decided nothing when a round was over are forgotten. */
SEC("tc") REJECT("math between map_value pointer") int rotating_index(struct __sk_buff *skb)
{
	__u64 a = 0, b = 1, c = 2, t;
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 40);
	while (bpf_iter_num_next(&it)) {
		t = a;
		a = b;
		b = c;
		c = t;
		asm volatile("" : "+r"(a), "+r"(b), "+r"(c));
	}
	bpf_iter_num_destroy(&it);
	asm volatile("r1 = %0 ll; r1 += %1; *(u8 *)(r1 + 0) = 1;" ::"i"(array), "r"(a)
		     : "r1", "memory");
	return 0;
}

SEC("tc") REJECT("invalid access to map value") int rotating_index_bad(struct __sk_buff *skb)
{
	__u64 a = 0, b = 1, c = 200000, t;
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 40);
	while (bpf_iter_num_next(&it)) {
		t = a;
		a = b;
		b = c;
		c = t;
		asm volatile("" : "+r"(a), "+r"(b), "+r"(c));
	}
	bpf_iter_num_destroy(&it);
	asm volatile("r1 = %0 ll; r1 += %1; *(u8 *)(r1 + 0) = 1;" ::"i"(array), "r"(a)
		     : "r1", "memory");
	return 0;
}

SEC("tc")
REJECT("invalid access to map value")
LINUX_REJECTS("math between map_value pointer") int delayed_chain(struct __sk_buff *skb)
{
	__u64 a = 0, b = 0, c = 0, d = 0;
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 40);
	while (bpf_iter_num_next(&it)) {
		if (skb->len & 1) {
			asm volatile("r1 = %0 ll; r1 += %1; *(u8 *)(r1 + 0) = 1;" ::"i"(array),
				     "r"(a)
				     : "r1", "memory");
		} else if (skb->len & 2)
			a = b;
		else if (skb->len & 4)
			b = c;
		else if (skb->len & 8)
			c = d;
		else
			d = 4096;
		asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

STATIC int hands_on_100(__u32 i, __u64 *s)
{
	if (i & 1)
		array[s[0]] = 1;
	else if (i & 2)
		s[0] = s[1];
	else if (i & 4)
		s[1] = s[2];
	else
		s[2] = 100;
	return 0;
}

/* Round 0 sets the third number, a later one hands it on to the second, one more to the first:
 * Linux does not see what a callback's round leaves to the next but one. */
SEC("tc")
REJECT("invalid access to map value") LINUX_ACCEPTS int delayed_chain_cb(struct __sk_buff *skb)
{
	__u64 s[3] = {};

	bpf_loop(100, hands_on_100, s, 0);
	return 0;
}

STATIC int hands_on_63(__u32 i, __u64 *s)
{
	if (i & 1)
		array[s[0]] = 1;
	else if (i & 2)
		s[0] = s[1];
	else if (i & 4)
		s[1] = s[2];
	else
		s[2] = 63;
	return 0;
}

SEC("tc") ACCEPT int delayed_chain_callback_ok(struct __sk_buff *skb)
{
	__u64 s[3] = {};

	bpf_loop(100, hands_on_63, s, 0);
	return 0;
}

SEC("tc")
REJECT("invalid access to map value")
LINUX_REJECTS("math between map_value pointer") int delayed_chain_may_goto(
	struct __sk_buff *skb)
{
	__u64 s[3] = {};

	for (int i = 0; can_loop; i++) {
		int w = bpf_get_prandom_u32();
		hands_on_100(w, s);
	}
	return 0;
}

SEC("tc") REJECT("infinite loop") int closed_in_open(struct __sk_buff *skb)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 40);
	while (bpf_iter_num_next(&it)) {
		while (skb->len != 5)
			asm volatile("");
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("tc") REJECT("infinite loop") LINUX_ACCEPTS int open_in_closed(struct __sk_buff *skb)
{
	while (1) {
		bpf_loop(3, counts, NULL, 0);
		asm volatile("");
	}
	return 0;
}
/* A counter that a callback compares, and that differs in each round around it. */
struct counted {
	long sum;
	int limit, unused, n;
};

STATIC int counts_to_ten(__u32 round, struct counted *c)
{
	if (round & 4)
		c->n++;
	return c->n > 10;
}

STATIC long compares_values(void *map, int *key, struct elem *value, struct counted *c)
{
	if (value->n > c->n)
		c->n++;
	if (value->n < c->limit) {
		c->sum--;
		return 1;
	}
	return 0;
}

SEC("tc") ACCEPT PROCESSED(1200) int counter_of_two_callbacks_in_iterator(struct __sk_buff *skb)
{
	struct counted c = {};
	struct bpf_iter_num it;
	int *i;

	bpf_iter_num_new(&it, 0, 5);
	while ((i = bpf_iter_num_next(&it))) {
		if (*i == 3)
			c.n++;
		bpf_for_each_map_elem(&timers, compares_values, &c, 0);
		if (*i == 2)
			bpf_loop(*i, counts_to_ten, &c, 0);
	}
	bpf_iter_num_destroy(&it);
	return c.sum;
}

STATIC int counts_always(__u32 round, struct counted *c)
{
	c->n++;
	return c->n > 10;
}

SEC("tc") ACCEPT LINUX_REJECTS("is too complex") PROCESSED(700)
int counter_of_callback_in_iterator(struct __sk_buff *skb)
{
	struct counted c = {};
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 5);
	while (bpf_iter_num_next(&it))
		bpf_loop(2, counts_always, &c, 0);
	bpf_iter_num_destroy(&it);
	return c.n;
}

SEC("tc") REJECT("invalid access to map value")
int counter_of_callback_as_index(struct __sk_buff *skb)
{
	struct counted c = {};
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 5);
	while (bpf_iter_num_next(&it))
		bpf_loop(2, counts_always, &c, 0);
	bpf_iter_num_destroy(&it);
	return array[(unsigned int)c.n];
}

char _license[] SEC("license") = "GPL";
