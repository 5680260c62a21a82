/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An application that lets others decide: programs that it does not trust say which orders are
 * taken. It embeds skep, offers them two functions and one hook, and stops those that run for
 * too long. libbpf is as it is: its calls of bpf(2) go to the engine.
 *
 *	cc orders.c $(pkg-config --cflags --libs skep) -Wl,--wrap=syscall \
 *		-Wl,-Bstatic -lbpf -Wl,-Bdynamic -lelf -lz -o orders
 *	clang -g -O2 -target bpf -c limit.bpf.c && ./orders limit.bpf.o
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <skep/extend.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define FUEL		  1000000 /* instructions that a program may repeat for one order */

/* --- what programs see --- */

/* Declared once: for this file, and as text for the engine. */
#define OFFERED(...) \
	__VA_ARGS__  \
	static const char declarations[] = #__VA_ARGS__;

/* clang-format off */
OFFERED(
	struct account {
		int id, users;
		unsigned int limit;
		struct account *parent; /* a pointer: nothing of a program's own is an account */
	};
	struct order {
		int id, account;
		unsigned int amount;
		struct account *payer;
	};
	struct account *account_get(int id);
	void account_put(struct account *account);
	int order_check(struct order *order);
)
/* clang-format on */

static struct account accounts[] = {
	{.id = 1, .limit = 100},
	{.id = 2, .limit = 5000, .parent = &accounts[0]},
};

static uint64_t get_account(uint64_t id, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
			    struct skep_run *run)
{
	for (size_t i = 0; i < ARRAY_SIZE(accounts); i++)
		if (accounts[i].id == (int)id) {
			accounts[i].users++;
			return (uintptr_t)&accounts[i];
		}
	return 0;
}

static uint64_t put_account(uint64_t account, uint64_t r2, uint64_t r3, uint64_t r4,
			    uint64_t r5, struct skep_run *run)
{
	((struct account *)(uintptr_t)account)->users--;
	return 0;
}

static const struct skep_function functions[] = {
	{.name = "account_get",
	 .body = get_account,
	 .flags = SKEP_FN_ACQUIRE | SKEP_FN_RET_NULL},
	{.name = "account_put", .body = put_account, .flags = SKEP_FN_RELEASE},
};

static const struct skep_hook hooks[] = {{.name = "order_check", .min = -1, .max = 0}};

static const struct skep_extension extension = {
	.sz = sizeof(extension),
	.name = "orders",
	.declarations = declarations,
	.functions = functions,
	.function_cnt = ARRAY_SIZE(functions),
	.hooks = hooks,
	.hook_cnt = ARRAY_SIZE(hooks),
};

/* --- libbpf on the engine --- */

static struct skep_engine *engine;

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

long __wrap_syscall(long number, ...)
{
	long argument[6];
	va_list list;
	int ret;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		argument[i] = va_arg(list, long);
	va_end(list);
	if (number != SYS_bpf)
		return __real_syscall(number, argument[0], argument[1], argument[2],
				      argument[3], argument[4], argument[5]);
	ret = skep_bpf(engine, (int)argument[0], (union bpf_attr *)argument[1],
		       (unsigned int)argument[2]);
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

/* --- the application --- */

static void take_orders(struct skep_hook_point *check)
{
	struct order orders[] = {
		{.id = 1, .account = 1, .amount = 50},
		{.id = 2, .account = 1, .amount = 500},
		{.id = 3, .account = 2, .amount = 500},
		{.id = 4, .account = 9, .amount = 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		const uint64_t args[] = {(uintptr_t)&orders[i]};
		int32_t verdict = 0;
		int ret = skep_hook_run(check, args, &verdict);

		printf("order %d: %s\n", orders[i].id,
		       ret == -EINTR ? "refused, the program ran for too long"
		       : verdict     ? "refused"
				     : "taken");
	}
}

/* Loads the object and attaches its program; 0 or a negative errno. */
static int load(const char *path, struct bpf_object **out, struct bpf_link **link)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	int ret = object ? bpf_object__load(object) : -errno;

	*out = object;
	*link = NULL;
	if (ret)
		return ret;
	*link = bpf_program__attach(bpf_object__next_program(object, NULL));
	return *link ? 0 : -errno;
}

static int run(const char *path)
{
	struct bpf_object *object;
	struct bpf_link *link;
	int ret = load(path, &object, &link);

	if (ret)
		fprintf(stderr, "orders: %s: %s\n%s\n", path, strerror(-ret),
			skep_engine_error(engine)->text);
	else
		take_orders(skep_hook_find(engine, "order_check"));
	bpf_link__destroy(link);
	bpf_object__close(object);
	for (size_t i = 0; i < ARRAY_SIZE(accounts); i++)
		if (accounts[i].users)
			fprintf(stderr, "orders: account %d is still in use\n", accounts[i].id);
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	const struct skep_engine_opts opts = {
		.sz = sizeof(opts), .extension = &extension, .fuel = FUEL};
	struct skep_error error;
	int ret;

	if (argc != 2) {
		fprintf(stderr, "usage: orders OBJECT\n");
		return 2;
	}
	engine = skep_engine_new(&opts, &error);
	if (!engine) {
		fprintf(stderr, "orders: %s\n", error.text);
		return 1;
	}
	ret = run(argv[1]);
	skep_engine_free(engine);
	return ret;
}
