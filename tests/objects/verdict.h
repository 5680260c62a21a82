/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What should become of a program, beside the program (README.md):
 *
 *	SEC("socket") REJECT("R9 !read_ok")
 *	int reads_nothing(void *ctx) ...
 *
 * The macros are declaration tags, which main.py reads out of the object's BTF. A message is
 * part of the first line that skep and Linux give as the reason.
 */
#ifndef SKEP_TESTS_VERDICT_H
#define SKEP_TESTS_VERDICT_H

#define EXPECTATION(text) __attribute__((btf_decl_tag(text)))

#define ACCEPT		EXPECTATION("verdict:accept")
#define REJECT(message) EXPECTATION("verdict:reject:" message)

/* Where Linux deliberately differs: a row in docs/differences.md says why. */
#define LINUX_ACCEPTS	       EXPECTATION("linux:accept")
#define LINUX_REJECTS(message) EXPECTATION("linux:reject:" message)

/* The same program once more, loaded with fewer rights. */
#define UNPRIVILEGED_ACCEPTS	      EXPECTATION("unprivileged:accept")
#define UNPRIVILEGED_REJECTS(message) EXPECTATION("unprivileged:reject:" message)
#define CAP_BPF_ACCEPTS		      EXPECTATION("cap_bpf:accept")
#define CAP_BPF_REJECTS(message)      EXPECTATION("cap_bpf:reject:" message)

/* How it is loaded: `skep verify --flags` and `--log-level`. */
#define FLAGS(names)	 EXPECTATION("flags:" names)
#define LOG_LEVEL(level) EXPECTATION("log_level:" #level)

/* Part of the log, of skep and of Linux; may be given several times. */
#define LOG(part) EXPECTATION("log:" part)

/* skep processes at most so many instructions. */
#define PROCESSED(most) EXPECTATION("processed:" #most)

/* A function that is one asm volatile statement, with `exit` as its end. */
#define NAKED __attribute__((naked))

#endif
