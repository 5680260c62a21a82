/* SPDX-License-Identifier: BSD-2-Clause */
/* Who owns a bias is inside alone, also while it is being taken away. */
#include "base/os.h"
#include "map/table_bias.h"
#include "tests/unit.h"

#include <pthread.h>
#include <sched.h>

#define OWNER 1
#define OTHER 2

static void *take_away(void *argument)
{
	table_bias_take_away(argument);
	return NULL;
}

/* A third thread comes while a second one waits for the owner to leave. */
static void test_nobody_else_while_the_owner_is_inside(void **state)
{
	struct table_writer writers[OTHER + 1];
	struct table_bias bias;
	pthread_t taker;

	(void)state;
	if (!os_barrier_ready())
		skip();
	table_bias_init(&bias, NULL, writers, ARRAY_SIZE(writers));
	for (u32 i = 0; i < ARRAY_SIZE(writers); i++)
		atomic_init(&writers[i].element, POOL_NONE);
	atomic_store(&bias.bias.owner, OWNER);
	assert_true(bias_enter(&bias.bias, OWNER));
	assert_false(table_bias_may_write(&bias, OTHER));
	assert_int_equal(pthread_create(&taker, NULL, take_away, &bias), 0);
	while (bias_is_own(&bias.bias, OWNER))
		sched_yield();
	assert_false(bias_enter(&bias.bias, OTHER));
	assert_false(bias_is_own(&bias.bias, BIASED_TO_NOBODY));
	assert_false(table_bias_may_write(&bias, OTHER));
	bias_leave(&bias.bias);
	pthread_join(taker, NULL);
	assert_true(bias_is_own(&bias.bias, BIASED_TO_NOBODY));
	assert_true(table_bias_may_write(&bias, OTHER));
	assert_false(bias_enter(&bias.bias, OWNER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_else_while_the_owner_is_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
