/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread that moves data between the ends of relays. Events are edges: at each one all that
 * can be done for the relay is done, and what stops it (a full end, a socket that has too much
 * on its way) wakes it again when it is over.
 */
#include "relay/relay.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define EVENTS 64

static int watch_fd(struct relay *relay, int fd)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.u64 = relay->sk.cookie,
	};

	return epoll_ctl(relay->relays->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int pump_watch(struct relay *relay)
{
	return watch_fd(relay, relay->socket) ?: watch_fd(relay, relay->end);
}

void pump_wake(struct relays *relays)
{
	if (relays->wake >= 0)
		eventfd_write(relays->wake, 1);
}

static bool has_hung_up(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLRDHUP};

	return poll(&poll_fd, 1, 0) > 0 && poll_fd.revents & (POLLHUP | POLLRDHUP | POLLERR);
}

/* What the application has written itself (see message.c for what it sends through skep). */
static void send_on(struct relay *relay)
{
	u8 bytes[RELAY_READ];

	while (!relay->to_socket.first && !relay->to_socket.is_ending) {
		const ssize_t length = recv(relay->end, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (length > 0 || (!length && !relay->is_stream && !has_hung_up(relay->end)))
			outlet_copy(&relay->to_socket, NULL, bytes, (u32)length);
		else if (!length || (errno != EAGAIN && errno != EINTR))
			outlet_end(&relay->to_socket);
		if (length <= 0)
			break;
	}
}

/* The peer takes nothing any more: the application is told so when it writes. */
static void refuse_application(struct relay *relay)
{
	if (relay->to_socket.is_closed && !relay->to_socket.is_ending)
		shutdown(relay->end, SHUT_RD);
}

static bool is_over(const struct relay *relay)
{
	struct pollfd end = {.fd = relay->end};

	return !relay->to_socket.first && poll(&end, 1, 0) > 0 && (end.revents & POLLHUP) &&
	       (relay->to_socket.is_ending || relay->to_socket.is_closed);
}

static void run_relay(struct relay *relay)
{
	struct relays *relays = relay->relays;

	if (relay->is_wanted && !relay->is_driven)
		relay_drive(relay, relay->wanted_fd);
	relay->is_wanted = false;
	if (!relay->is_driven)
		return;
	outlet_flush(&relay->to_application);
	outlet_flush(&relay->to_socket);
	send_on(relay);
	refuse_application(relay);
	pthread_mutex_unlock(&relays->lock);
	flow_receive(relay);
	pthread_mutex_lock(&relays->lock);
	if (relay->is_driven && is_over(relay))
		relay_end(relay);
}

/* With the lock held. */
static void run_all(struct relays *relays)
{
	while (!cds_list_empty(&relays->runnable)) {
		struct relay *relay =
			cds_list_first_entry(&relays->runnable, struct relay, runnable);

		cds_list_del_init(&relay->runnable);
		run_relay(relay);
		relay_put(relay);
	}
}

static void take_event(struct relays *relays, const struct epoll_event *event)
{
	struct relay *relay = event->data.u64 ? relay_find(relays, event->data.u64) : NULL;
	eventfd_t count;

	if (relay)
		relay_wake(relay);
	else if (!event->data.u64)
		eventfd_read(relays->wake, &count);
}

static void *pump(void *argument)
{
	struct relays *relays = argument;
	struct epoll_event events[EVENTS];

	pthread_mutex_lock(&relays->lock);
	while (!relays->is_stopping) {
		int count;

		pthread_mutex_unlock(&relays->lock);
		count = epoll_wait(relays->epoll, events, EVENTS, -1);
		pthread_mutex_lock(&relays->lock);
		for (int i = 0; i < count; i++)
			take_event(relays, &events[i]);
		run_all(relays);
	}
	pthread_mutex_unlock(&relays->lock);
	return NULL;
}

static int open_events(struct relays *relays)
{
	struct epoll_event event = {.events = EPOLLIN};

	relays->epoll = epoll_create1(EPOLL_CLOEXEC);
	relays->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (relays->epoll < 0 || relays->wake < 0 ||
	    epoll_ctl(relays->epoll, EPOLL_CTL_ADD, relays->wake, &event))
		return -errno;
	return 0;
}

/* Signals are the application's. */
static int start_thread(struct relays *relays)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&relays->pump, NULL, pump, relays);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

static void close_events(struct relays *relays)
{
	if (relays->epoll >= 0)
		close(relays->epoll);
	if (relays->wake >= 0)
		close(relays->wake);
	relays->epoll = relays->wake = -1;
}

int pump_start(struct relays *relays)
{
	int err;

	if (relays->epoll >= 0)
		return 0;
	err = open_events(relays) ?: start_thread(relays);
	if (err)
		close_events(relays);
	return err;
}

void pump_stop(struct relays *relays)
{
	if (relays->epoll < 0)
		return;
	pthread_mutex_lock(&relays->lock);
	relays->is_stopping = true;
	pthread_mutex_unlock(&relays->lock);
	pump_wake(relays);
	pthread_join(relays->pump, NULL);
	close_events(relays);
}
