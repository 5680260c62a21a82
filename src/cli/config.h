/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configuration files: a statement a line, words with blanks between them, # begins a comment.
 * What a line may begin with are rows; a row's function takes the words behind. Whatever is
 * wrong is one message "FILE:LINE: found, expected", and EXIT_NO_VERDICT.
 */
#ifndef SKEP_CLI_CONFIG_H
#define SKEP_CLI_CONFIG_H

#include "base/types.h"
#include <sys/socket.h>

#define CONFIG_WORDS_MAX  64
#define CONFIG_RANGES_MAX 32

struct config {
	const char *path;
	u32 line; /* of the words; 0: none yet */
	char *words[CONFIG_WORDS_MAX];
	u32 count, next; /* words[next] is the next to be taken */
	char *text;	 /* owned, cut in place */
	char *at, *end;	 /* what is not read yet */
};

/* 0 or an exit code after a message; the caller closes it. */
int config_open(struct config *config, const char *path);
void config_close(struct config *config);
/* The next line that has words: 1, 0 at the end, or an exit code's negative after a message. */
int config_next(struct config *config);

struct config_row {
	const char *word, *usage, *help;
	/* Takes the words behind; 0 or an exit code after a message. */
	int (*read)(void *state, struct config *config);
};

/* All lines of a file. 0 or an exit code after a message. */
int config_read(const char *path, const struct config_row *rows, u32 count, void *state);

/* Prints "skep: FILE:LINE: ..." and returns EXIT_NO_VERDICT. */
int config_error(const struct config *config, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* --- what a row's function takes; each 0, or an exit code after a message --- */

/* Whether there is another word, and whether it is this one, which is then taken. */
bool config_has_more(const struct config *config);
bool config_is(struct config *config, const char *word);
/* Any word; NULL after a message that `what` is expected. */
const char *config_word(struct config *config, const char *what);
int config_number(struct config *config, const char *what, u64 least, u64 most, u64 *out);
/* One of the names, by its place. */
int config_choice(struct config *config, const char *const *names, u32 count, u32 *out);
/* Another file, relative to the folder of this one; the caller frees it. */
int config_file(struct config *config, char **out);
/* Nothing is left. */
int config_end(const struct config *config);

struct config_address {
	u8 family;    /* 4 or 6; 0: any */
	u8 length;    /* bits that count */
	u8 bytes[16]; /* as on the wire; IPv4: the first four */
};

bool config_same_address(const struct config_address *a, const struct config_address *b);
/* ADDRESS or ADDRESS/LENGTH, whose other bits are zero; or "any" when `may_be_any`. */
int config_prefix(struct config *config, bool may_be_any, struct config_address *out);
/* ADDRESS alone. */
int config_host(struct config *config, struct config_address *out);
/* The text of an address without its length; and it with a port, for calls on sockets. */
#define CONFIG_ADDRESS_TEXT 46
const char *config_address_text(const struct config_address *address,
				char text[CONFIG_ADDRESS_TEXT]);
socklen_t config_socket_address(const struct config_address *address, u16 port,
				struct sockaddr_storage *out);

struct config_range {
	u16 low, high;
};

/* PORT, LOW-HIGH, or several with commas between them. */
int config_ports(struct config *config, struct config_range *out, u32 *count);

#endif
