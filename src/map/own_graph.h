/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists and red-black trees of objects, in the room that Linux's bpf_list_head, bpf_list_node,
 * bpf_rb_root and bpf_rb_node leave. Memory of zeros is an empty list or tree, or a node that
 * is in none. A node's owner is the list or tree that it is in.
 */
#ifndef SKEP_MAP_OWN_GRAPH_H
#define SKEP_MAP_OWN_GRAPH_H

#include "base/types.h"

struct own_list_node {
	struct own_list_node *next, *prev;
	void *_Atomic owner;
};

struct own_list {
	struct own_list_node *next, *prev; /* NULL, or the list itself: empty */
};

struct own_tree_node {
	u64 parent; /* with the colour in bit 0 */
	struct own_tree_node *child[2];
	void *_Atomic owner;
};

struct own_tree {
	struct own_tree_node *root, *first;
};

/* Marks a node as in `owner` before it is put in; false: it is in a list or tree already. */
bool own_node_claim(void *_Atomic *node_owner, void *owner);

/* --- lists: the node is claimed --- */
void own_list_push(struct own_list *list, struct own_list_node *node, bool to_front);
/* NULL: the list is empty. */
struct own_list_node *own_list_end(struct own_list *list, bool front);
struct own_list_node *own_list_pop(struct own_list *list, bool front);

/* --- trees: the node is claimed --- */

/* Below `parent` (NULL: the tree is empty) at `side`, where there is none: 0 before it, 1
 * behind it. */
void own_tree_add(struct own_tree *tree, struct own_tree_node *parent, int side,
		  struct own_tree_node *node);
void own_tree_remove(struct own_tree *tree, struct own_tree_node *node);

#endif
