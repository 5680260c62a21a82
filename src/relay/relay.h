/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the room. Locks: relays->lock guards the table, what waits at the ends, and all of a
 * relay but what is said to be the pump's or the sender's. It is a leaf: no program runs and
 * nobody waits while it is held. relay->sending is taken before it.
 *
 * A relay is freed by whoever drops the last reference: the table has one while the socket is
 * in a map or driven, and so has each piece that it sent and that is not delivered.
 */
#ifndef SKEP_RELAY_RELAY_H
#define SKEP_RELAY_RELAY_H

#include "base/rcu.h"
#include "map/socket.h"
#include "relay/relays.h"
#include "run/run.h"

#include <pthread.h>
#include <stdatomic.h>

#define RELAY_BUCKETS	256
#define RELAY_READ	(64u << 10)  /* bytes that are taken from an end at a time */
#define RELAY_IN_FLIGHT (256u << 10) /* of a socket, before no more is read from it */
#define RELAY_MESSAGE	(1u << 20)   /* the longest that a parser may ask for */
#define RELAY_HEADROOM	512u	     /* that programs may use in front of a message */
#define RELAY_TAILROOM	512u	     /* and behind it */

struct relay;

/* Bytes on their way to an end; of a datagram all of them. */
struct piece {
	struct piece *next;
	struct relay *source; /* reference; NULL: the application */
	u32 room;	      /* of `memory` */
	u32 start, length;    /* what is left of it */
	u8 memory[];
};

/* What waits to be written to one end. */
struct outlet {
	struct relays *relays;
	int fd;
	struct piece *first, **last;
	size_t bytes;
	bool is_ending; /* no more comes: the other side is told when nothing is left */
	bool is_closed; /* takes nothing any more */
};

enum message_verdict { VERDICT_NONE, VERDICT_PASS, VERDICT_REDIRECT, VERDICT_DROP };

struct relay {
	struct relays *relays;
	struct cds_list_head bucket;   /* by cookie; empty: not in the table any more */
	struct cds_list_head by_end;   /* of those that are driven */
	struct cds_list_head runnable; /* empty: nothing to do */
	u32 refs;
	u32 links; /* entries in maps */
	struct sock_ctx sk;
	/* References; those who run them are in a read-side section. */
	struct prog *progs[SOCKET_PROGS];

	bool is_wanted; /* to be driven by the pump, which a program asked for */
	int wanted_fd;
	bool is_driven;
	bool is_stream;
	int socket, end; /* of which both are -1 unless it is driven */
	dev_t device;	 /* of the application's end */
	ino_t inode;
	struct outlet to_application, to_socket;
	size_t in_flight; /* bytes of pieces that it sent */

	/* the pump's */
	u8 *buffer; /* what was received and is no message yet */
	u32 buffer_size, filled;
	u32 message_length; /* as the parser said; 0: to be asked */
	bool has_ended;	    /* the peer sends no more */

	/* the sender's */
	pthread_mutex_t sending;
	struct {
		u8 *held; /* message that is not complete (bpf_msg_cork_bytes()) */
		u32 held_bytes, wanted_bytes;
		u32 apply_bytes; /* for which the verdict holds; 0: for one message */
		enum message_verdict verdict;
		u64 target; /* of VERDICT_REDIRECT: a cookie */
		int target_fd;
		u64 flags;
	} message;
};

struct relays {
	struct socket_hook hook; /* first */
	const struct run_env *env;
	pid_t owner; /* whose threads and descriptors they are */
	pthread_mutex_t lock;
	struct cds_list_head buckets[RELAY_BUCKETS]; /* by cookie */
	struct cds_list_head driven;
	struct cds_list_head runnable;
	atomic_uint driven_cnt;
	pthread_cond_t drained; /* something that waited at an end was written */
	pthread_t pump;
	int epoll, wake; /* an epoll instance over all ends and `wake`; -1: not made yet */
	bool is_stopping;
	atomic_bool is_wanted; /* some relay is to be driven that is not */
};

/* --- relays.c --- */
struct relay *relay_find(struct relays *relays, u64 cookie);	  /* with the lock held */
struct relay *relay_of_descriptor(struct relays *relays, int fd); /* a reference; NULL */
struct relay *relay_get(struct relay *relay);			  /* with the lock held */
void relay_put(struct relay *relay);				  /* with the lock held */
/* The pump looks at it; with the lock held. */
void relay_wake(struct relay *relay);
/* It is nothing any more: the application has gone; with the lock held. */
void relay_end(struct relay *relay);

/* --- drive.c --- */
/* 0 or a negative errno; with the lock held. */
int relay_drive(struct relay *relay, int fd);
void relay_give_back(struct relay *relay);

/* --- epolls.c: what the application's epoll instances have of a descriptor --- */
struct epolls;
/* Takes the descriptor out of them; NULL: nothing was there, or no memory. */
struct epolls *epolls_take(int fd);
/* Puts it in again, now that it is another file. */
void epolls_put_back(struct epolls *epolls, int fd);

/* --- outlet.c; with the lock held --- */
void outlet_init(struct outlet *outlet, struct relays *relays, int fd);
void outlet_done(struct outlet *outlet);
/* NULL: no memory. */
struct piece *piece_new(struct relay *source, u32 length);
void piece_free(struct piece *piece);
/* Takes over the piece: writes it, or lets it wait. */
void outlet_put(struct outlet *outlet, struct piece *piece);
/* Copies what cannot be written at once. */
void outlet_copy(struct outlet *outlet, struct relay *source, const u8 *data, u32 length);
/* Writes as much as it can. */
void outlet_flush(struct outlet *outlet);
/* No more will come: the other side sees the end behind what waits. */
void outlet_end(struct outlet *outlet);

/* --- flow.c --- */
/* The pump: reads what the socket has received, as far as there is room for it. */
void flow_receive(struct relay *relay);

/* --- message.c --- */
/* A message's or a packet's way after SK_PASS; takes over the piece. */
void relay_redirect(struct relay *relay, u64 cookie, int fd, u64 flags, struct piece *piece);

/* --- pump.c --- */
int pump_start(struct relays *relays);
void pump_stop(struct relays *relays);
void pump_wake(struct relays *relays);
int pump_watch(struct relay *relay);

#endif
