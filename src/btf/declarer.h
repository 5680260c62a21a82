/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: the parser of declarations. Functions return 0 or a negative errno, with the
 * error filled in. */
#ifndef SKEP_BTF_DECLARER_H
#define SKEP_BTF_DECLARER_H

#include "btf/builder.h"
#include "btf/c_lexer.h"

struct declarer {
	struct c_lexer lexer;
	struct btf_builder *builder;
	struct skep_error *err;
	u32 depth; /* of what is inside of one another */
};

/* What a declarator declares; `name` is empty where it has none. */
struct declarator {
	char name[TOKEN_SIZE];
	u32 type;
};

int declare_expected(struct declarer *declarer, const char *what);
int declare_expect(struct declarer *declarer, const char *text);
int declare_failed(struct declarer *declarer, const char *what, const char *name);
/* The token, a name, is copied and passed. */
int declare_take_name(struct declarer *declarer, char out[TOKEN_SIZE]);

int declare_specifiers(struct declarer *declarer, u32 *out);
int declare_declarator(struct declarer *declarer, u32 type, struct declarator *out);
/* Behind the keyword: the id of the structure, union or enumeration. */
int declare_tagged(struct declarer *declarer, u32 kind, u32 *out);
/* The integer type of this name as the kernel's types call it; 0: there is none. */
u32 declare_integer(struct btf_builder *builder, const char *name);

#endif
