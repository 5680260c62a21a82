/* SPDX-License-Identifier: BSD-2-Clause */
/* What the threads of a device share: who is connected, what is attached, what it lacks. */
#ifndef SKEP_SYS_DEVICE_H
#define SKEP_SYS_DEVICE_H

#include "base/types.h"
#include "device/message.h"
#include <pthread.h>
#include <skep/attach.h>
#include <skep/device.h>

#define HOSTS_MAX	16
#define HANDLES_MAX	4096
#define HELPER_WORDS	8
#define HOSTS_GREETED_S 30 /* so soon a host has said hello */

struct skep_device {
	struct skep_engine *engine;
	char *address;
	int ifindex;
	u64 no_helpers[HELPER_WORDS], no_maps;
	int listen_fd, stop_fd;
	pthread_t acceptor;
	pthread_mutex_t lock; /* what follows */
	struct device_host *hosts[HOSTS_MAX];
	struct {
		int link; /* descriptor; -1: nothing is attached */
		struct device_host *host;
		u32 prog;			  /* the host's handle */
		struct device_prog_counts before; /* of programs that it replaced */
	} attached;
	bool is_moving; /* since the first program */
	pthread_t mover;
	int failed;
	struct skep_error error;
};

enum handle_kind { HANDLE_NONE, HANDLE_MAP, HANDLE_PROG };

/* What a host has here. */
struct handle {
	enum handle_kind kind;
	int fd; /* of the engine */
	u32 key_size, value_size, prog_id;
	struct device_prog_counts counts; /* of a program, when it was attached before */
};

struct device_host {
	struct skep_device *device;
	int fd;
	pthread_t thread;
	bool is_done; /* under the device's lock: the thread is about to end */
	bool is_greeted;
	struct skep_error err;	/* of the request that is being served */
	struct handle *handles; /* HANDLES_MAX; [i] is number i + 1 */
	void *answer;		/* room for what is answered */
};

/* The result of a request. */
struct answer {
	void *bytes; /* room for DEVICE_ANSWER_MAX */
	size_t size;
};

/* A message as it came: its length fits its kind. */
struct request {
	u32 type;
	const void *head;
	const u8 *more;
	size_t size; /* of `more` */
};

/* Bytes of the head of a message and the most behind it; false: there is no such message. */
bool device_request_size(u32 type, size_t *head, size_t *most);
/* 0 or a negative errno with host->err; -EPROTO: the channel ends. */
int device_serve(struct device_host *host, const struct request *request,
		 struct answer *answer);
/* Frees all that the host has. */
void device_forget(struct device_host *host);
/* With the lock held: begins to move packets. */
int device_move(struct skep_device *device);

/* The names of opts.without. */
int device_read_without(struct skep_device *device, const char *names, struct skep_error *err);

#endif
