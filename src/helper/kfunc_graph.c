/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists and trees of objects. The program holds the lock. */
#include "helper/body.h"
#include "map/own.h"
#include "map/own_graph.h"

#include <errno.h>

/* A node that is in a list or tree already stays there, and the caller's reference is gone. */
static u64 refuse(u64 node, const struct run_context *run)
{
	if (run->site->node_offset >= 0)
		own_put((u8 *)u64_to_ptr(node) - run->site->node_offset);
	return -EINVAL;
}

/* --- lists --- */
static u64 push(u64 list, u64 address, bool to_front, const struct run_context *run)
{
	struct own_list_node *node = u64_to_ptr(address);

	if (!own_node_claim(&node->owner, u64_to_ptr(list)))
		return refuse(address, run);
	own_list_push(u64_to_ptr(list), node, to_front);
	return 0;
}

KFUNC_BODY(bpf_list_push_front_impl)
{
	return push(r1, r2, true, run);
}

KFUNC_BODY(bpf_list_push_back_impl)
{
	return push(r1, r2, false, run);
}

KFUNC_BODY(bpf_list_pop_front)
{
	return ptr_to_u64(own_list_pop(u64_to_ptr(r1), true));
}

KFUNC_BODY(bpf_list_pop_back)
{
	return ptr_to_u64(own_list_pop(u64_to_ptr(r1), false));
}

KFUNC_BODY(bpf_list_front)
{
	return ptr_to_u64(own_list_end(u64_to_ptr(r1), true));
}

KFUNC_BODY(bpf_list_back)
{
	return ptr_to_u64(own_list_end(u64_to_ptr(r1), false));
}

/* --- trees --- */
KFUNC_BODY(bpf_rbtree_add_impl)
{
	struct own_tree *tree = u64_to_ptr(r1);
	struct own_tree_node *node = u64_to_ptr(r2), *parent = NULL, *at = tree->root;
	int side = 0;

	if (!own_node_claim(&node->owner, tree))
		return refuse(r2, run);
	while (at) {
		const u64 args[5] = {r2, ptr_to_u64(at)};

		parent = at;
		side = !(bool)run->call_back(run, r3, args);
		at = at->child[side];
	}
	own_tree_add(tree, parent, side, node);
	return 0;
}

static bool is_in(struct own_tree *tree, struct own_tree_node *node)
{
	return atomic_load_explicit(&node->owner, memory_order_relaxed) == tree;
}

KFUNC_BODY(bpf_rbtree_remove)
{
	if (!is_in(u64_to_ptr(r1), u64_to_ptr(r2)))
		return 0;
	own_tree_remove(u64_to_ptr(r1), u64_to_ptr(r2));
	return r2;
}

KFUNC_BODY(bpf_rbtree_first)
{
	return ptr_to_u64(((struct own_tree *)u64_to_ptr(r1))->first);
}

KFUNC_BODY(bpf_rbtree_root)
{
	return ptr_to_u64(((struct own_tree *)u64_to_ptr(r1))->root);
}

static u64 child(u64 tree, u64 address, int side)
{
	struct own_tree_node *node = u64_to_ptr(address);

	return is_in(u64_to_ptr(tree), node) ? ptr_to_u64(node->child[side]) : 0;
}

KFUNC_BODY(bpf_rbtree_left)
{
	return child(r1, r2, 0);
}

KFUNC_BODY(bpf_rbtree_right)
{
	return child(r1, r2, 1);
}
