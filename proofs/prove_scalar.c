/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves the domain of numbers sound by enumeration at small widths, on the very code that runs
 * at 64 and 32 bits (the width is a parameter of it), and measures how far from optimal it is.
 *
 * At 3 and 4 bits: every operation on every pair of canonical views. At 5 bits: every pair of
 * known bits, of unsigned ranges and of signed ranges, and every view with every constant.
 * Scalars of 5 bits with a low view of 3: synchronisation, operations and refinement on sampled
 * pairs. With --long: every operation and comparison on every pair of views of 5 bits (an
 * hour). A set of concrete values is a bit mask (value v: bit v).
 */
#include "proofs/concrete.h"
#include "verify/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH_MAX      5
#define VALUES_MAX     (1u << WIDTH_MAX)
#define VIEWS_MAX      (1u << 16) /* more than there are at WIDTH_MAX */
#define SAMPLED_PAIRS  400000
#define FAILURES_SHOWN 10
#define QUALITY_SAMPLE 16 /* one result in so many is compared with the best there is */

struct named_op {
	u8 op;
	const char *name;
};

static const struct named_op alu_ops[] = {
	{BPF_ADD, "add"}, {BPF_SUB, "sub"}, {BPF_MUL, "mul"},  {BPF_DIV, "div"},
	{BPF_MOD, "mod"}, {BPF_AND, "and"}, {BPF_OR, "or"},    {BPF_XOR, "xor"},
	{BPF_LSH, "shl"}, {BPF_RSH, "shr"}, {BPF_ARSH, "sar"},
};

static const struct named_op jump_ops[] = {
	{BPF_JEQ, "=="},  {BPF_JSET, "&"},   {BPF_JLT, "<"},	{BPF_JSLT, "s<"},
	{BPF_JNE, "!="},  {BPF_JGT, ">"},    {BPF_JGE, ">="},	{BPF_JLE, "<="},
	{BPF_JSGT, "s>"}, {BPF_JSGE, "s>="}, {BPF_JSLE, "s<="},
};

/* Both outcomes of the first of these are every relation there is (view_branch.c). */
#define JUMP_RELATIONS 4

static u64 failures, checks;
static const char *proving = ""; /* the operation, for messages */
static u64 random_state = 0x9e3779b97f4a7c15;

static u64 random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* --- sets and views --- */

/* Bits first .. last. */
static u32 run_of_bits(u64 first, u64 last)
{
	return (u32)(low_ones((u32)last + 1) & ~((1ull << first) - 1));
}

/* The members of every tnum, filled in once. */
static u32 tnum_sets[VALUES_MAX][VALUES_MAX];

static void fill_tnum_sets(void)
{
	for (u64 value = 0; value < VALUES_MAX; value++) {
		for (u64 mask = 0; mask < VALUES_MAX; mask++) {
			for (u64 member = 0; member < VALUES_MAX; member++)
				tnum_sets[value][mask] |=
					(u32)tnum_has((struct tnum){value, mask}, member)
					<< member;
		}
	}
}

/* The values that view_has() accepts. */
static u32 view_set(const struct view *view, u32 width)
{
	u32 half = 1u << (width - 1);
	u64 in_signed_order = run_of_bits((u64)(view->smin + half), (u64)(view->smax + half));
	u32 signed_set = (u32)(in_signed_order >> half | in_signed_order << half);

	return tnum_sets[view->bits.value][view->bits.mask] &
	       run_of_bits(view->umin, view->umax) & signed_set;
}

/* The best view of a set that is not empty. */
static struct view set_view(u32 set, u32 width)
{
	struct view best = view_const(__builtin_ctz(set), width);

	for (; set; set &= set - 1) {
		struct view one = view_const(__builtin_ctz(set), width);

		best = view_join(&best, &one);
	}
	return best;
}

static void fail(const char *what, const struct view *a, const struct view *b, u32 width)
{
	if (failures++ > FAILURES_SHOWN)
		return;
	printf("# %s %s at %u bits:\n", what, proving, width);
	for (u32 i = 0; i < 2; i++) {
		const struct view *view = i ? b : a;

		printf("#   bits %llx/%llx unsigned %llu..%llu signed %lld..%lld\n",
		       view->bits.value, view->bits.mask, view->umin, view->umax, view->smin,
		       view->smax);
	}
}

/* --- all views --- */

struct element {
	struct view view;
	u32 set;
};

struct elements {
	struct element *items;
	u32 count;
	u32 *slots; /* hash table of indexes + 1 */
};

static u32 view_hash(const struct view *view)
{
	u64 hash = view->bits.value * 31 + view->bits.mask;

	hash = hash * 1000003 + view->umin * 67 + view->umax;
	hash = hash * 1000003 + (u64)view->smin * 67 + (u64)view->smax;
	return (u32)(hash * 0x9e3779b97f4a7c15 >> 40) % (2 * VIEWS_MAX);
}

static void elements_add(struct elements *elements, const struct view *view, u32 width)
{
	u32 at = view_hash(view);
	struct element *item;

	while (elements->slots[at]) {
		if (!memcmp(&elements->items[elements->slots[at] - 1].view, view,
			    sizeof(*view)))
			return;
		at = (at + 1) % (2 * VIEWS_MAX);
	}
	item = &elements->items[elements->count++];
	*item = (struct element){*view, view_set(view, width)};
	elements->slots[at] = elements->count;
}

/* All unsigned or signed ranges: `low` is the smallest number. */
static u32 all_ranges(s64 low, u32 width, s64 (*out)[2])
{
	u32 count = 0;

	for (s64 first = low; first < low + (1 << width); first++) {
		for (s64 last = first; last < low + (1 << width); last++, count++) {
			out[count][0] = first;
			out[count][1] = last;
		}
	}
	return count;
}

static void add_views_of_bits(struct elements *elements, struct tnum bits, u32 width)
{
	static s64 unsigned_ranges[VALUES_MAX * VALUES_MAX][2];
	static s64 signed_ranges[VALUES_MAX * VALUES_MAX][2];
	u32 count = all_ranges(0, width, unsigned_ranges);

	all_ranges(-(1ll << (width - 1)), width, signed_ranges);
	for (u32 u = 0; u < count; u++) {
		for (u32 s = 0; s < count; s++) {
			struct view view = {bits, signed_ranges[s][0], signed_ranges[s][1],
					    (u64)unsigned_ranges[u][0],
					    (u64)unsigned_ranges[u][1]};
			u32 set = width < WIDTH_MAX ? view_set(&view, width) : 0;
			struct view before = view;
			bool possible = view_sync(&view, width);

			checks++;
			if (width < WIDTH_MAX &&
			    (possible != !!set || (set && view_set(&view, width) != set)))
				fail("sync", &before, &view, width);
			if (possible)
				elements_add(elements, &view, width);
		}
	}
}

/*
 * Every view that view_sync() can leave. Below WIDTH_MAX each is shown to keep the values of
 * what it was made from, and to be the best that can be said of them.
 */
static struct elements all_views(u32 width)
{
	struct elements elements = {calloc(VIEWS_MAX, sizeof(struct element)), 0,
				    calloc(2 * VIEWS_MAX, sizeof(u32))};

	for (u64 value = 0; value <= low_ones(width); value++) {
		for (u64 mask = 0; mask <= low_ones(width); mask++) {
			if (!(value & mask))
				add_views_of_bits(&elements, (struct tnum){value, mask}, width);
		}
	}
	for (u32 i = 0; i < elements.count; i++) {
		struct view best = set_view(elements.items[i].set, width);

		if (memcmp(&best, &elements.items[i].view, sizeof(best)))
			fail("sync is not best", &elements.items[i].view, &best, width);
	}
	return elements;
}

static void elements_free(struct elements *elements)
{
	free(elements->items);
	free(elements->slots);
}

/* --- operations on pairs of views --- */

struct quality {
	u64 pairs, best; /* results that nothing could improve on */
};

/* One operation at one width: from[x][set of y] is the set of x OP y. */
struct images {
	u32 width;
	u32 *from;
};

static u32 image(const struct images *images, u32 x, u32 set)
{
	return images->from[((size_t)x << (1u << images->width)) | set];
}

/* At 4 bits the table of all is small. */
static void images_fill(struct images *images, u8 op, bool is_signed)
{
	u32 values = 1u << images->width, sets = 1u << values;

	for (u32 x = 0; x < values; x++) {
		u32 *row = &images->from[(size_t)x << values];

		row[0] = 0;
		for (u32 set = 1; set < sets; set++) {
			u32 y = (u32)__builtin_ctz(set);

			row[set] = row[set & (set - 1)];
			if (is_shift(op) && y >= images->width)
				row[set] = sets - 1;
			else
				row[set] |= 1u
					    << concrete_alu(x, y, op, is_signed, images->width);
		}
	}
}

static u32 alu_set(u32 a, u32 b, u8 op, bool is_signed, u32 width)
{
	u32 set = 0;

	for (u32 x = a; x; x &= x - 1) {
		for (u32 y = b; y; y &= y - 1) {
			u64 amount = (u64)__builtin_ctz(y);

			if (is_shift(op) && amount >= width)
				return (u32)low_ones(1u << width);
			set |= 1u << concrete_alu((u64)__builtin_ctz(x), amount, op, is_signed,
						  width);
		}
	}
	return set;
}

static void check_alu(const struct element *a, const struct element *b, u32 results, u8 op,
		      bool is_signed, u32 width, struct quality *quality)
{
	struct view result = view_alu(&a->view, &b->view, op, is_signed, width);
	u32 kept = view_sync(&result, width) ? view_set(&result, width) : 0;

	checks++;
	if (results & ~kept)
		fail("a result is missing:", &a->view, &b->view, width);
	if (quality && checks % QUALITY_SAMPLE == 0) {
		struct view best = set_view(results, width);

		quality->pairs++;
		quality->best += !memcmp(&best, &result, sizeof(best));
	}
}

static void print_quality(const struct quality *quality, bool is_signed, u32 width)
{
	printf("# %u bits, %s%s: best in %.1f %% of %llu pairs\n", width, is_signed ? "s" : "",
	       proving, 100.0 * (double)quality->best / (double)quality->pairs, quality->pairs);
}

static void prove_alu_all_pairs(const struct elements *views, u8 op, bool is_signed, u32 width)
{
	struct images images = {width, malloc(sizeof(u32) << (width + (1u << width)))};
	struct quality quality = {0, 0};

	images_fill(&images, op, is_signed);
	for (u32 i = 0; i < views->count; i++) {
		for (u32 j = 0; j < views->count; j++) {
			u32 results = 0;

			for (u32 x = views->items[i].set; x; x &= x - 1)
				results |= image(&images, (u32)__builtin_ctz(x),
						 views->items[j].set);
			check_alu(&views->items[i], &views->items[j], results, op, is_signed,
				  width, &quality);
		}
	}
	print_quality(&quality, is_signed, width);
	free(images.from);
}

/* Pairs of views that say only one thing: bits, an unsigned range, a signed range. */
static bool says_one_thing(const struct view *view, u32 kind, u32 width)
{
	struct view plain = view_unknown(width);

	if (kind == 0) {
		plain.bits = view->bits;
	} else if (kind == 1) {
		plain.umin = view->umin;
		plain.umax = view->umax;
	} else {
		plain.smin = view->smin;
		plain.smax = view->smax;
	}
	return view_sync(&plain, width) && !memcmp(&plain, view, sizeof(plain));
}

/* Without a table of images, which is too large at 5 bits. */
static void prove_alu_pairs(const struct elements *views, u8 op, bool is_signed, u32 width)
{
	struct quality quality = {0, 0};

	for (u32 i = 0; i < views->count; i++) {
		for (u32 j = 0; j < views->count; j++) {
			u32 results = alu_set(views->items[i].set, views->items[j].set, op,
					      is_signed, width);

			check_alu(&views->items[i], &views->items[j], results, op, is_signed,
				  width, &quality);
		}
	}
	print_quality(&quality, is_signed, width);
}

static void prove_alu_kind(const struct elements *views, u32 kind, u8 op, bool is_signed,
			   u32 width)
{
	struct elements some = {malloc(sizeof(struct element) * views->count), 0, NULL};

	for (u32 i = 0; i < views->count; i++) {
		if (says_one_thing(&views->items[i].view, kind, width))
			some.items[some.count++] = views->items[i];
	}
	for (u32 i = 0; i < some.count; i++) {
		for (u32 j = 0; j < some.count; j++) {
			u32 results = alu_set(some.items[i].set, some.items[j].set, op,
					      is_signed, width);

			check_alu(&some.items[i], &some.items[j], results, op, is_signed, width,
				  NULL);
		}
	}
	free(some.items);
}

static void prove_alu_constants(const struct elements *views, u8 op, bool is_signed, u32 width)
{
	for (u32 i = 0; i < views->count; i++) {
		for (u64 value = 0; value <= low_ones(width); value++) {
			struct element constant = {view_const(value, width), 1u << value};
			u32 results = alu_set(views->items[i].set, constant.set, op, is_signed,
					      width);

			check_alu(&views->items[i], &constant, results, op, is_signed, width,
				  NULL);
		}
	}
}

/* --- comparisons of pairs of views --- */

static void check_branch(const struct element *a, const struct element *b, u8 op, u32 width,
			 const u32 *taken_with)
{
	u32 taken[2] = {0, 0}, other[2] = {0, 0};
	int outcome = view_branch(&a->view, &b->view, op, width);

	for (u32 x = a->set; x; x &= x - 1) {
		u32 value = (u32)__builtin_ctz(x);
		u32 yes = taken_with[value] & b->set, no = ~taken_with[value] & b->set;

		taken[0] |= yes ? 1u << value : 0;
		taken[1] |= yes;
		other[0] |= no ? 1u << value : 0;
		other[1] |= no;
	}
	checks++;
	if ((outcome == 1 && other[0]) || (outcome == 0 && taken[0]))
		fail("wrong outcome of", &a->view, &b->view, width);
	for (u32 i = 0; i < 2; i++) {
		struct view left = a->view, right = b->view;
		const u32 *kept = i ? taken : other;
		bool possible = view_refine(&left, &right, op, i, width) &&
				view_sync(&left, width) && view_sync(&right, width);
		u32 left_set = possible ? view_set(&left, width) : 0;
		u32 right_set = possible ? view_set(&right, width) : 0;

		if ((kept[0] & ~left_set) || (kept[1] & ~right_set))
			fail("refined too far by", &a->view, &b->view, width);
	}
}

static void prove_branches(const struct elements *views, u8 op, u32 width)
{
	u32 taken_with[VALUES_MAX] = {0};

	for (u64 x = 0; x <= low_ones(width); x++) {
		for (u64 y = 0; y <= low_ones(width); y++)
			taken_with[x] |= (u32)concrete_jump(x, y, op, width) << y;
	}
	for (u32 i = 0; i < views->count; i++) {
		for (u32 j = 0; j < views->count; j++)
			check_branch(&views->items[i], &views->items[j], op, width, taken_with);
	}
}

/* --- scalars: two views --- */

static const struct shape shape = {5, 3};

static u32 scalar_set(const struct scalar *scalar)
{
	struct view full = scalar_full_view(scalar), low = scalar_low_view(scalar, shape);
	u32 set = 0;

	for (u64 value = 0; value <= low_ones(shape.full); value++) {
		if (view_has(&full, value, shape.full) &&
		    view_has(&low, value & low_ones(shape.low), shape.low))
			set |= 1u << value;
	}
	return set;
}

/* A view of one to three values, some of its facts forgotten. */
static struct view random_view(u32 width)
{
	u32 set = 1u << random_next() % (1u << width);
	struct view view, unknown = view_unknown(width);

	for (u64 more = random_next() % 3; more; more--)
		set |= 1u << random_next() % (1u << width);
	view = set_view(set, width);
	if (random_next() % 2)
		view.bits = unknown.bits;
	if (random_next() % 2)
		view.umin = 0;
	if (random_next() % 2)
		view.umax = unknown.umax;
	if (random_next() % 2)
		view.smin = unknown.smin;
	if (random_next() % 2)
		view.smax = unknown.smax;
	return view;
}

/* Any facts that do not contradict each other, synchronised. */
static struct scalar random_scalar(u32 *set)
{
	for (;;) {
		struct view full = random_view(shape.full), low = random_view(shape.low);
		struct scalar scalar;
		u32 before;

		full.bits.value &= ~full.bits.mask;
		scalar_set_full(&scalar, &full);
		scalar_set_low(&scalar, &low);
		before = scalar_set(&scalar);
		*set = scalar_sync_shaped(&scalar, shape) ? scalar_set(&scalar) : 0;
		checks++;
		if (before & ~*set)
			fail("scalar_sync lost a value", &full, &low, shape.full);
		if (before && before == *set)
			return scalar;
	}
}

static u32 low_set(u32 set)
{
	u32 low = 0;

	for (u32 i = 0; i < 1u << shape.full; i++)
		low |= (set >> i & 1) << (i & (u32)low_ones(shape.low));
	return low;
}

static void check_scalar_alu(const struct scalar *a, u32 a_set, const struct scalar *b,
			     u32 b_set, u8 op, bool is_low, bool is_signed)
{
	struct scalar result = *a;
	u32 want = is_low ? alu_set(low_set(a_set), low_set(b_set), op, is_signed, shape.low)
			  : alu_set(a_set, b_set, op, is_signed, shape.full);

	checks++;
	scalar_alu_shaped(&result, b, op, is_low, is_signed, shape);
	if (want & ~scalar_set(&result)) {
		struct view views[2] = {scalar_full_view(a), scalar_full_view(b)};

		fail(is_low ? "low operation:" : "operation:", &views[0], &views[1],
		     shape.full);
	}
}

static void check_scalar_refine(const struct scalar *a, u32 a_set, const struct scalar *b,
				u32 b_set, u8 op, bool is_low, bool taken)
{
	struct scalar left = *a, right = *b;
	u32 width = is_low ? shape.low : shape.full, ones = (u32)low_ones(width);
	bool possible = scalar_refine_shaped(&left, &right, op, is_low, taken, shape);
	u32 left_set = possible ? scalar_set(&left) : 0;
	u32 right_set = possible ? scalar_set(&right) : 0;
	int outcome = scalar_branch_shaped(a, b, op, is_low, shape);

	checks++;
	for (u32 x = a_set; x; x &= x - 1) {
		for (u32 y = b_set; y; y &= y - 1) {
			u32 one = (u32)__builtin_ctz(x), two = (u32)__builtin_ctz(y);

			if (concrete_jump(one & ones, two & ones, op, width) != taken)
				continue;
			if (outcome == !taken || !(left_set >> one & 1) ||
			    !(right_set >> two & 1)) {
				struct view views[2] = {scalar_full_view(a),
							scalar_full_view(b)};

				fail(is_low ? "low comparison:" : "comparison:", &views[0],
				     &views[1], shape.full);
				return;
			}
		}
	}
}

static void check_scalars(u32 pairs)
{
	for (u32 i = 0; i < pairs; i++) {
		u32 a_set, b_set;
		struct scalar a = random_scalar(&a_set), b = random_scalar(&b_set);
		u8 op = alu_ops[i % ARRAY_SIZE(alu_ops)].op;
		u8 jump = jump_ops[i % ARRAY_SIZE(jump_ops)].op;

		for (u32 mode = 0; mode < 4; mode++) {
			proving = alu_ops[i % ARRAY_SIZE(alu_ops)].name;
			check_scalar_alu(&a, a_set, &b, b_set, op, mode & 1, mode & 2);
			proving = jump_ops[i % ARRAY_SIZE(jump_ops)].name;
			check_scalar_refine(&a, a_set, &b, b_set, jump, mode & 1, mode & 2);
		}
	}
}

/* --- the proofs --- */

static bool has_signed_form(u8 op)
{
	return op == BPF_DIV || op == BPF_MOD;
}

static void prove_pairs(u32 width, u32 jump_cnt)
{
	struct elements views = all_views(width);

	printf("# %u bits: %u views, each the best for its values\n", width, views.count);
	for (u32 i = 0; i < ARRAY_SIZE(alu_ops); i++) {
		proving = alu_ops[i].name;
		prove_alu_all_pairs(&views, alu_ops[i].op, false, width);
		if (has_signed_form(alu_ops[i].op))
			prove_alu_all_pairs(&views, alu_ops[i].op, true, width);
	}
	for (u32 i = 0; i < jump_cnt; i++) {
		proving = jump_ops[i].name;
		prove_branches(&views, jump_ops[i].op, width);
	}
	elements_free(&views);
}

static void prove_kinds(u32 width)
{
	struct elements views = all_views(width);

	printf("# %u bits: %u views, each the best for its values\n", width, views.count);
	for (u32 i = 0; i < ARRAY_SIZE(alu_ops); i++) {
		proving = alu_ops[i].name;
		for (u32 is_signed = 0; is_signed <= has_signed_form(alu_ops[i].op);
		     is_signed++) {
			for (u32 kind = 0; kind < 3; kind++)
				prove_alu_kind(&views, kind, alu_ops[i].op, is_signed, width);
			prove_alu_constants(&views, alu_ops[i].op, is_signed, width);
		}
	}
	elements_free(&views);
}

static void prove_all_pairs_of_5_bits(void)
{
	struct elements views = all_views(5);

	for (u32 i = 0; i < ARRAY_SIZE(alu_ops); i++) {
		proving = alu_ops[i].name;
		for (u32 is_signed = 0; is_signed <= has_signed_form(alu_ops[i].op);
		     is_signed++)
			prove_alu_pairs(&views, alu_ops[i].op, is_signed, 5);
	}
	for (u32 i = 0; i < JUMP_RELATIONS; i++) {
		proving = jump_ops[i].name;
		prove_branches(&views, jump_ops[i].op, 5);
	}
	elements_free(&views);
}

int main(int argc, char **argv)
{
	bool is_long = argc > 1 && !strcmp(argv[1], "--long");

	printf("1..%u\n", 3 + is_long);
	fill_tnum_sets();
	prove_pairs(3, ARRAY_SIZE(jump_ops));
	prove_pairs(4, JUMP_RELATIONS);
	printf("%s 1 - every operation on every pair of views of 3 and 4 bits\n",
	       failures ? "not ok" : "ok");
	prove_kinds(5);
	printf("%s 2 - every pair of bits and of ranges of 5 bits, every constant\n",
	       failures ? "not ok" : "ok");
	check_scalars(SAMPLED_PAIRS);
	printf("%s 3 - scalars of 5 bits with a low view of 3\n", failures ? "not ok" : "ok");
	if (is_long) {
		prove_all_pairs_of_5_bits();
		printf("%s 4 - every operation on every pair of views of 5 bits\n",
		       failures ? "not ok" : "ok");
	}
	printf("# %llu checks, %llu failures\n", checks, failures);
	return failures != 0;
}
