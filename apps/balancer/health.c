/* SPDX-License-Identifier: BSD-2-Clause */
/* Health checks: all backends that are to be asked at once, none of them waited for. */
#include "service.h"

#include "base/os.h"
#include "cli/output.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS 1000000ull

enum answer { ANSWER_NONE, ANSWER_GOOD, ANSWER_BAD };

static const struct check *check_of(const struct balancer_config *config, u32 backend)
{
	return &config->vips[config->backends[backend].vip].check;
}

/* --- one question --- */

static void end_check(struct member *member)
{
	if (member->fd >= 0)
		close(member->fd);
	member->fd = -1;
}

static enum answer ask(const struct balancer_config *config, u32 backend, struct member *member,
		       u64 now)
{
	const struct check *check = check_of(config, backend);
	struct sockaddr_storage address;
	const socklen_t size = config_socket_address(&config->backends[backend].address,
						     check->port, &address);

	member->fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	member->has_asked = false;
	member->deadline_ns = now + config->timing.timeout_ms * MS;
	if (member->fd < 0)
		return ANSWER_NONE;
	if (connect(member->fd, (struct sockaddr *)&address, size) && errno != EINPROGRESS)
		return ANSWER_BAD;
	return ANSWER_NONE;
}

static bool send_request(const struct balancer_config *config, u32 backend, int fd)
{
	char host[CONFIG_ADDRESS_TEXT], text[CHECK_PATH_MAX + CONFIG_ADDRESS_TEXT + 64];
	const bool is6 = config->backends[backend].address.family == 6;
	const int size = snprintf(text, sizeof(text), "GET %s HTTP/1.0\r\nHost: %s%s%s\r\n\r\n",
				  check_of(config, backend)->path, is6 ? "[" : "",
				  config_address_text(&config->backends[backend].address, host),
				  is6 ? "]" : "");

	return send(fd, text, (size_t)size, MSG_NOSIGNAL) == size;
}

static enum answer read_status(int fd)
{
	char text[sizeof("HTTP/1.1 200") - 1];
	const ssize_t got = recv(fd, text, sizeof(text), MSG_PEEK);

	if (got < 0)
		return errno == EAGAIN ? ANSWER_NONE : ANSWER_BAD;
	if (got && got < (ssize_t)sizeof(text))
		return ANSWER_NONE;
	return got && !memcmp(text, "HTTP/1.", 7) && (text[9] == '2' || text[9] == '3')
		       ? ANSWER_GOOD
		       : ANSWER_BAD;
}

static bool is_connected(int fd)
{
	socklen_t size = sizeof(int);
	int err = 0;

	return !getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) && !err;
}

/* What there is to be heard of a question under way. */
static enum answer listen_to(const struct balancer_config *config, u32 backend,
			     struct member *member)
{
	struct pollfd ready = {.fd = member->fd,
			       .events = member->has_asked ? POLLIN : POLLOUT};

	if (poll(&ready, 1, 0) <= 0)
		return ANSWER_NONE;
	if (member->has_asked)
		return read_status(member->fd);
	if (!is_connected(member->fd))
		return ANSWER_BAD;
	if (check_of(config, backend)->kind == CHECK_TCP)
		return ANSWER_GOOD;
	member->has_asked = true;
	return send_request(config, backend, member->fd) ? ANSWER_NONE : ANSWER_BAD;
}

/* --- what follows from an answer --- */

static void say_change(const struct balancer_config *config, u32 backend, bool is_down)
{
	const struct vip *vip = &config->vips[config->backends[backend].vip];
	char name[CONFIG_ADDRESS_TEXT], of[CONFIG_ADDRESS_TEXT];

	fprintf(stderr, "backend %s of %s %s %u is %s\n",
		config_address_text(&config->backends[backend].address, name),
		config_address_text(&vip->address, of),
		vip->protocol == IPPROTO_TCP ? "tcp" : "udp", vip->port,
		is_down ? "down" : "up");
}

static int take_answer(struct app_run *run, u32 backend, struct member *member,
		       enum answer answer)
{
	const struct balancer_config *config = run->config;
	const struct timing *timing = &config->timing;

	end_check(member);
	member->streak = (answer == ANSWER_GOOD) == member->is_down ? member->streak + 1 : 0;
	if (member->streak < (member->is_down ? timing->rise : timing->fall))
		return 0;
	member->streak = 0;
	member->is_down = !member->is_down;
	say_change(config, backend, member->is_down);
	service_set_alive(run, backend, !member->is_down);
	return service_turn_ring(run, config->backends[backend].vip);
}

/* A check that a reload took away says nothing more: the backend is up. */
static int without_check(struct app_run *run, u32 backend, struct member *member)
{
	const struct balancer_config *config = run->config;

	end_check(member);
	member->streak = 0;
	if (!member->is_down)
		return 0;
	member->is_down = false;
	service_set_alive(run, backend, true);
	return service_turn_ring(run, config->backends[backend].vip);
}

static int work_on(struct app_run *run, u32 backend, bool is_due, u64 now)
{
	const struct balancer_config *config = run->config;
	struct balancer *balancer = run->own;
	struct member *member = &balancer->members[balancer->member_numbers[backend]];
	enum answer answer = ANSWER_NONE;

	if (check_of(config, backend)->kind == CHECK_NONE)
		return without_check(run, backend, member);
	if (member->fd >= 0)
		answer = listen_to(config, backend, member);
	else if (is_due)
		answer = ask(config, backend, member, now);
	if (answer == ANSWER_NONE && member->fd >= 0 && now >= member->deadline_ns)
		answer = ANSWER_BAD;
	return answer == ANSWER_NONE ? 0 : take_answer(run, backend, member, answer);
}

int health_work(struct app_run *run)
{
	const struct balancer_config *config = run->config;
	struct balancer *balancer = run->own;
	const u64 now = os_time_ns(CLOCK_MONOTONIC);
	const bool is_due = now >= balancer->next_check_ns;
	int code = 0;

	if (is_due)
		balancer->next_check_ns = now + config->timing.every_ms * MS;
	for (u32 i = 0; i < config->backend_count && !code; i++)
		code = work_on(run, i, is_due, now);
	return code;
}

void health_done(struct app_run *run)
{
	const struct balancer_config *config = run->config;
	struct balancer *balancer = run->own;

	if (run->generation)
		for (u32 i = 0; i < config->backend_count; i++)
			end_check(&balancer->members[balancer->member_numbers[i]]);
}
