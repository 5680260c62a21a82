/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/own_graph.h"

#include <stdatomic.h>

bool own_node_claim(void *_Atomic *node_owner, void *owner)
{
	void *none = NULL;

	return atomic_compare_exchange_strong(node_owner, &none, owner);
}

/* --- lists --- */
static struct own_list_node *head_of(struct own_list *list)
{
	struct own_list_node *head = (struct own_list_node *)list;

	if (!list->next)
		list->next = list->prev = head;
	return head;
}

void own_list_push(struct own_list *list, struct own_list_node *node, bool to_front)
{
	struct own_list_node *head = head_of(list);
	struct own_list_node *before = to_front ? head : head->prev, *after = before->next;

	node->prev = before;
	node->next = after;
	before->next = after->prev = node;
}

struct own_list_node *own_list_end(struct own_list *list, bool front)
{
	struct own_list_node *head = head_of(list), *end = front ? head->next : head->prev;

	return end == head ? NULL : end;
}

struct own_list_node *own_list_pop(struct own_list *list, bool front)
{
	struct own_list_node *node = own_list_end(list, front);

	if (!node)
		return NULL;
	node->prev->next = node->next;
	node->next->prev = node->prev;
	node->next = node->prev = NULL;
	atomic_store(&node->owner, NULL);
	return node;
}

/* --- trees: no red node has a red child, and all ways down pass as many black ones --- */
#define RED 1ull

static struct own_tree_node *parent_of(const struct own_tree_node *node)
{
	return u64_to_ptr(node->parent & ~RED);
}

static bool is_red(const struct own_tree_node *node)
{
	return node && node->parent & RED;
}

static void set_parent(struct own_tree_node *node, struct own_tree_node *parent)
{
	node->parent = ptr_to_u64(parent) | (node->parent & RED);
}

static void set_red(struct own_tree_node *node, bool red)
{
	node->parent = (node->parent & ~RED) | red;
}

/* `with` (may be NULL) takes the place of `node` below `parent`. */
static void replace_child(struct own_tree *tree, struct own_tree_node *parent,
			  const struct own_tree_node *node, struct own_tree_node *with)
{
	if (!parent)
		tree->root = with;
	else
		parent->child[parent->child[1] == node] = with;
	if (with)
		set_parent(with, parent);
}

/* The node goes down to `side`, its child of the other side comes up. */
static void rotate(struct own_tree *tree, struct own_tree_node *node, int side)
{
	struct own_tree_node *up = node->child[!side], *between = up->child[side];

	node->child[!side] = between;
	if (between)
		set_parent(between, node);
	replace_child(tree, parent_of(node), node, up);
	up->child[side] = node;
	set_parent(node, up);
}

/* `node` is red, and so may its parent be. */
static void repair_red(struct own_tree *tree, struct own_tree_node *node)
{
	struct own_tree_node *parent;

	while (is_red(parent = parent_of(node))) {
		struct own_tree_node *above = parent_of(parent);
		const int side = above->child[1] == parent;
		struct own_tree_node *uncle = above->child[!side];

		if (is_red(uncle)) {
			set_red(parent, false);
			set_red(uncle, false);
			set_red(above, true);
			node = above;
			continue;
		}
		if (parent->child[!side] == node) {
			rotate(tree, parent, side);
			node = parent;
			parent = parent_of(node);
		}
		set_red(parent, false);
		set_red(above, true);
		rotate(tree, above, !side);
	}
	set_red(tree->root, false);
}

void own_tree_add(struct own_tree *tree, struct own_tree_node *parent, int side,
		  struct own_tree_node *node)
{
	node->parent = ptr_to_u64(parent) | RED;
	node->child[0] = node->child[1] = NULL;
	if (parent)
		parent->child[side] = node;
	else
		tree->root = node;
	if (!parent || (tree->first == parent && !side))
		tree->first = node;
	repair_red(tree, node);
}

/* The ways through `node` (may be NULL), below `parent`, miss a black one: made good around its
 * sibling. True: they miss none any more. */
static bool repair_sibling(struct own_tree *tree, struct own_tree_node *parent, int side)
{
	struct own_tree_node *sibling = parent->child[!side];

	if (is_red(sibling)) {
		set_red(sibling, false);
		set_red(parent, true);
		rotate(tree, parent, side);
		sibling = parent->child[!side];
	}
	if (!is_red(sibling->child[0]) && !is_red(sibling->child[1])) {
		set_red(sibling, true);
		return false;
	}
	if (!is_red(sibling->child[!side])) {
		set_red(sibling->child[side], false);
		set_red(sibling, true);
		rotate(tree, sibling, !side);
		sibling = parent->child[!side];
	}
	set_red(sibling, is_red(parent));
	set_red(parent, false);
	set_red(sibling->child[!side], false);
	rotate(tree, parent, side);
	return true;
}

static void repair_black(struct own_tree *tree, struct own_tree_node *node,
			 struct own_tree_node *parent)
{
	while (node != tree->root && !is_red(node)) {
		if (repair_sibling(tree, parent, parent->child[0] != node))
			return;
		node = parent;
		parent = parent_of(node);
	}
	if (node)
		set_red(node, false);
}

static struct own_tree_node *leftmost(struct own_tree_node *node)
{
	while (node->child[0])
		node = node->child[0];
	return node;
}

/* The next one in order takes the place of a node with two children. The node below which one
 * is missing now; *child: what came up there. */
static struct own_tree_node *put_next(struct own_tree *tree, struct own_tree_node *node,
				      struct own_tree_node **child, bool *was_red)
{
	struct own_tree_node *next = leftmost(node->child[1]), *parent = parent_of(next);

	*child = next->child[1];
	*was_red = is_red(next);
	if (parent == node) {
		parent = next;
	} else {
		replace_child(tree, parent, next, *child);
		next->child[1] = node->child[1];
		set_parent(next->child[1], next);
	}
	next->child[0] = node->child[0];
	set_parent(next->child[0], next);
	replace_child(tree, parent_of(node), node, next);
	set_red(next, is_red(node));
	return parent;
}

void own_tree_remove(struct own_tree *tree, struct own_tree_node *node)
{
	struct own_tree_node *parent = parent_of(node), *child;
	bool was_red = is_red(node);

	if (tree->first == node)
		tree->first = node->child[1] ? leftmost(node->child[1]) : parent;
	if (node->child[0] && node->child[1]) {
		parent = put_next(tree, node, &child, &was_red);
	} else {
		child = node->child[0] ? node->child[0] : node->child[1];
		replace_child(tree, parent, node, child);
	}
	if (!was_red)
		repair_black(tree, child, parent);
	node->parent = 0;
	node->child[0] = node->child[1] = NULL;
	atomic_store(&node->owner, NULL);
}
