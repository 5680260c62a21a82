/* SPDX-License-Identifier: BSD-2-Clause */
/* The live kernel and the view agree on thousands of spoilt blobs: verdict, errno and log. */
#include "btf/btf.h"
#include "kernel.h"
#include "mutate.h"
#include "sample.h"
#include "tests/unit.h"

#include <stdio.h>

#define MUTANTS	 10000
#define LOG_SIZE (1 << 20)

struct sample {
	u8 *blob, *mutant;
	u32 size;
	char *log;
	struct strbuf own_log;
};

static int sample_setup(void **state)
{
	struct sample *sample = calloc(1, sizeof(*sample));

	sample->blob = sample_btf(*state, &sample->size);
	assert_non_null(sample->blob);
	sample->mutant = malloc(sample->size);
	sample->log = malloc(LOG_SIZE);
	strbuf_init(&sample->own_log);
	*state = sample;
	return 0;
}

static int sample_teardown(void **state)
{
	struct sample *sample = *state;

	free(sample->blob);
	free(sample->mutant);
	free(sample->log);
	strbuf_done(&sample->own_log);
	free(sample);
	return 0;
}

static int own_load(struct sample *sample, const u8 *blob, u32 size)
{
	struct btf_view *view = NULL;
	int err;

	strbuf_clear(&sample->own_log);
	err = btf_view_new(blob, size, &view, &sample->own_log, NULL);
	btf_view_free(view);
	return err;
}

static void print_end(const char *who, int err, const char *log)
{
	size_t length = strlen(log);

	print_message("  %s: %d ...%s\n", who, err, length > 300 ? log + length - 300 : log);
}

static bool agrees(struct sample *sample, const u8 *blob, u32 size)
{
	int want = kernel_btf_load(blob, size, sample->log, LOG_SIZE);
	int got = own_load(sample, blob, size);

	if (want == got && !strcmp(sample->log, strbuf_text(&sample->own_log)))
		return true;
	print_end("kernel", want, sample->log);
	print_end("skep", got, strbuf_text(&sample->own_log));
	return false;
}

static void sample_is_accepted_with_the_kernels_log(void **state)
{
	struct sample *sample = *state;

	assert_int_equal(own_load(sample, sample->blob, sample->size), 0);
	if (!kernel_has_btf())
		skip();
	assert_true(agrees(sample, sample->blob, sample->size));
}

static void mutants_get_the_kernels_verdict(void **state)
{
	struct sample *sample = *state;
	int differ = 0;

	if (!kernel_has_btf())
		skip();
	for (u64 seed = 0; seed < MUTANTS && differ < 5; seed++) {
		u32 size = sample->size;

		memcpy(sample->mutant, sample->blob, size);
		mutate(sample->mutant, &size, seed);
		if (!agrees(sample, sample->mutant, size)) {
			print_message("mutant %llu differs\n", seed);
			differ++;
		}
	}
	assert_int_equal(differ, 0);
}

#define TEST(function, object)                                                    \
	{                                                                         \
#function " of " object, function, sample_setup, sample_teardown, \
			SAMPLES object ".elf"                                     \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sample_is_accepted_with_the_kernels_log, "sample"),
		TEST(mutants_get_the_kernels_verdict, "sample"),
		TEST(sample_is_accepted_with_the_kernels_log, "objects"),
		TEST(mutants_get_the_kernels_verdict, "objects"),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
