/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of neighbours, by a clock of the test's own. */
#include "map/neighbours.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SECOND 1000000000ull

static const u8 mac_a[6] = {2, 0, 0, 0, 0, 1}, mac_b[6] = {2, 0, 0, 0, 0, 2};

static struct route_ip ip_of(u32 number)
{
	return (struct route_ip){.family = AF_INET,
				 .bytes = {10, number >> 16, number >> 8, number}};
}

static int open_table(void **state)
{
	static struct neighbours table;

	neighbours_init(&table);
	*state = &table;
	return 0;
}

static int close_table(void **state)
{
	neighbours_done(*state);
	return 0;
}

static enum neighbour_hold hold(struct neighbours *table, u32 number, u64 now)
{
	struct neighbour_packet *packet = calloc(1, sizeof(*packet));
	const struct route_ip ip = ip_of(number);
	const enum neighbour_hold result = neighbours_hold(table, 1, &ip, packet, now);

	if (result != HOLD_WAITS && result != HOLD_ASK)
		free(packet);
	return result;
}

static u32 free_all(struct neighbour_packet *packet)
{
	u32 count = 0;

	while (packet) {
		struct neighbour_packet *next = packet->next;

		free(packet);
		packet = next;
		count++;
	}
	return count;
}

/* How many packets had waited. */
static u32 learn(struct neighbours *table, u32 number, const u8 *mac, u32 news, u64 now)
{
	const struct route_ip ip = ip_of(number);

	return free_all(neighbours_learn(table, 1, &ip, mac, news, now));
}

/* -1: it is not there. */
static int state_of(struct neighbours *table, u32 number)
{
	const struct route_ip ip = ip_of(number);
	const struct neighbour *found;
	int state;

	rcu_read_lock();
	found = neighbours_find(table, 1, &ip);
	state = found ? (int)neighbour_state(neighbour_address_of(found)) : -1;
	rcu_read_unlock();
	return state;
}

static void assert_mac(struct neighbours *table, u32 number, const u8 *want)
{
	const struct route_ip ip = ip_of(number);
	u8 mac[6];

	rcu_read_lock();
	neighbour_mac(neighbour_address_of(neighbours_find(table, 1, &ip)), mac);
	rcu_read_unlock();
	assert_memory_equal(mac, want, sizeof(mac));
}

static bool use(struct neighbours *table, u32 number, u64 now)
{
	const struct route_ip ip = ip_of(number);
	bool asks;

	rcu_read_lock();
	asks = neighbours_use(table, neighbours_find(table, 1, &ip), now);
	rcu_read_unlock();
	return asks;
}

static void who_answers_is_reachable_and_grows_old(void **state)
{
	struct neighbours *table = *state;
	u64 now = SECOND;

	assert_int_equal(hold(table, 7, now), HOLD_ASK);
	assert_int_equal(hold(table, 7, now), HOLD_WAITS);
	assert_int_equal(state_of(table, 7), NEIGHBOUR_INCOMPLETE);
	assert_int_equal(learn(table, 7, mac_a, NEWS_CONFIRMED, now), 2);
	assert_int_equal(state_of(table, 7), NEIGHBOUR_REACHABLE);
	assert_int_equal(hold(table, 7, now), HOLD_KNOWN);
	now += 29 * SECOND;
	assert_int_equal(neighbours_age(table, now).kind, EVENT_NONE);
	assert_int_equal(state_of(table, 7), NEIGHBOUR_REACHABLE);
	now += 2 * SECOND;
	neighbours_age(table, now);
	assert_int_equal(state_of(table, 7), NEIGHBOUR_STALE);
	/* used: asked once, and its address stays in use */
	assert_true(use(table, 7, now));
	assert_false(use(table, 7, now));
	assert_int_equal(state_of(table, 7), NEIGHBOUR_PROBE);
	assert_mac(table, 7, mac_a);
	/* without its address in the answer */
	learn(table, 7, NULL, NEWS_CONFIRMED, now);
	assert_int_equal(state_of(table, 7), NEIGHBOUR_REACHABLE);
	assert_mac(table, 7, mac_a);
	now += 31 * SECOND;
	neighbours_age(table, now);
	now += 61 * SECOND;
	neighbours_age(table, now);
	assert_int_equal(state_of(table, 7), -1);
}

/* One that dies: three questions, a second apart, then the bad news; forgotten later. */
static void who_does_not_answer_fails(void **state)
{
	struct neighbours *table = *state;
	struct neighbour_event event;
	u64 now = SECOND;

	learn(table, 7, mac_a, NEWS_CREATE, now);
	assert_int_equal(state_of(table, 7), NEIGHBOUR_STALE);
	assert_true(use(table, 7, now));
	assert_int_equal(neighbours_age(table, now).kind, EVENT_NONE);
	for (u32 i = 0; i < 2; i++) {
		now += SECOND;
		event = neighbours_age(table, now);
		assert_int_equal(event.kind, EVENT_ASK);
		assert_true(neighbour_is_known(event.address));
		assert_int_equal(neighbours_age(table, now).kind, EVENT_NONE);
	}
	now += SECOND;
	assert_int_equal(neighbours_age(table, now).kind, EVENT_FAILED);
	assert_int_equal(state_of(table, 7), NEIGHBOUR_FAILED);
	/* a packet asks anew, and is given back in the end */
	assert_int_equal(hold(table, 7, now), HOLD_ASK);
	for (u32 i = 0; i < 3; i++)
		event = neighbours_age(table, now += SECOND);
	assert_int_equal(event.kind, EVENT_FAILED);
	assert_int_equal(event.device, 1);
	assert_int_equal(free_all(event.packets), 1);
	neighbours_age(table, now += 6 * SECOND);
	assert_int_equal(state_of(table, 7), -1);
}

static void news_is_believed_as_far_as_it_goes(void **state)
{
	static const struct {
		const char *name;
		u32 first, then; /* news */
		int state;
		const u8 *mac;
	} rows[] = {
		{"the same again", NEWS_CREATE | NEWS_CONFIRMED, 0, NEIGHBOUR_REACHABLE, mac_a},
		{"another one", NEWS_CREATE | NEWS_CONFIRMED, 8, NEIGHBOUR_STALE, mac_b},
		{"another one, not to be believed", NEWS_CREATE | NEWS_CONFIRMED, 8 | NEWS_KEEP,
		 NEIGHBOUR_REACHABLE, mac_a},
		{"another one, confirmed", NEWS_CREATE, 8 | NEWS_CONFIRMED, NEIGHBOUR_REACHABLE,
		 mac_b},
	};
	struct neighbours *table = *state;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		learn(table, i, mac_a, rows[i].first, SECOND);
		learn(table, i, rows[i].then & 8 ? mac_b : mac_a, rows[i].then & ~8u, SECOND);
		if (state_of(table, i) != rows[i].state)
			fail_msg("%s: state %d", rows[i].name, state_of(table, i));
		assert_mac(table, i, rows[i].mac);
	}
	/* whom nobody asked for */
	learn(table, 99, mac_a, NEWS_CONFIRMED, SECOND);
	assert_int_equal(state_of(table, 99), -1);
}

static void there_is_an_end_to_it(void **state)
{
	struct neighbours *table = *state;
	const u64 before = neighbours_generation(table);

	for (u32 i = 0; i < NEIGHBOUR_WAITING; i++)
		assert_int_equal(hold(table, 1, SECOND), i ? HOLD_WAITS : HOLD_ASK);
	assert_int_equal(hold(table, 1, SECOND), HOLD_FULL);
	assert_int_equal(free_all(neighbours_give_up(table)), NEIGHBOUR_WAITING);
	assert_null(neighbours_give_up(table));
	for (u32 i = 2; i <= NEIGHBOURS_MAX; i++)
		learn(table, i, mac_a, NEWS_CREATE, i * SECOND);
	assert_int_equal(table->count, NEIGHBOURS_MAX);
	assert_int_equal(neighbours_generation(table), before);
	/* the one that was not used for the longest time goes */
	learn(table, 9999, mac_a, NEWS_CREATE, 9999 * SECOND);
	assert_int_equal(table->count, NEIGHBOURS_MAX);
	assert_int_equal(state_of(table, 2), -1);
	assert_int_equal(state_of(table, 1), NEIGHBOUR_INCOMPLETE);
	assert_int_equal(neighbours_generation(table), before + 1);
	rcu_barrier();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_table, close_table)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_answers_is_reachable_and_grows_old),
		TEST(who_does_not_answer_fails),
		TEST(news_is_believed_as_far_as_it_goes),
		TEST(there_is_an_end_to_it),
	};

	return cmocka_run_group_tests_name("map.neighbours", tests, NULL, NULL);
}
