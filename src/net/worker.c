/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/worker.h"
#include "base/error.h"
#include "base/os.h"
#include "net/cpu.h"
#include "net/filter.h"
#include "net/forward.h"
#include "net/redirect.h"
#include "run/runner.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define WAIT_NS		100000000ull
#define FORWARD_TICK_NS WAIT_NS
/* Frames begin at different cache sets. */
#define FRAME_STRIDE (PACKET_HEADROOM + FRAME_DATA_MAX + 5 * CACHE_LINE)
/* Queues that nothing tells about are asked again: so many times at once, then after short
 * sleeps, which grow to a long one while nothing comes. */
#define SPINS		  2000
#define POLL_SHORT_NS	  20000ull
#define POLL_LONG_NS	  1000000ull
#define POLLS_BEFORE_LONG 5000
/* How often the first worker, when it has no more to do, looks whether the others have. */
#define JOIN_MS	 1
#define CREW_MAX QUEUES_MAX

struct crew;

struct worker {
	_Alignas(CACHE_LINE) struct crew *crew;
	u32 index;
	struct xdp_path path;
	u8 *memory;			    /* FRAME_BATCH frames; owned */
	struct frame copies[FRAME_BATCH];   /* in `memory` */
	struct frame borrowed[FRAME_BATCH]; /* in memory of ports */
	struct outbox outbox;
	struct port_queue *queues[PORTS_MAX]; /* that may still deliver */
	u32 queue_count;
	u64 idle;   /* rounds without a packet */
	u64 now_ns; /* CLOCK_MONOTONIC, read once a batch and once an idle round */
	pthread_t thread;
	bool is_started;
};

struct crew {
	const struct crew_task *task;
	u32 count;
	u64 start_ns, tick_ns; /* when it began; when the next tick is due, 0: never */
	u64 forward_ns;	       /* when the forwarding's next tick is due */
	atomic_bool stop;      /* the tick or the time says so */
	atomic_uint running;   /* of the workers that have threads of their own */
	pthread_mutex_t lock;  /* failed, err */
	struct skep_error *err;
	int failed; /* the first errno of a port */
	cpu_set_t allowed;
	struct cpus *cpus; /* owned; NULL: there is one worker */
	struct worker *workers[CREW_MAX];
};

static void fail(struct crew *crew, int code, const struct skep_error *err)
{
	pthread_mutex_lock(&crew->lock);
	if (!crew->failed) {
		crew->failed = code;
		if (crew->err)
			*crew->err = *err;
	}
	pthread_mutex_unlock(&crew->lock);
}

static bool is_at_end(const struct port_queue *queue)
{
	return atomic_load_explicit(&queue->rx.at_end, memory_order_relaxed);
}

static void end_queue(struct port_queue *queue)
{
	atomic_store_explicit(&queue->rx.at_end, true, memory_order_relaxed);
}

/* --- receiving --- */

/* How many packets may be taken from the port now, of which so many are spoken for. */
static int reserve(const struct worker *worker, struct port *port)
{
	const u64 limit = worker->crew->task->opts->max_packets;
	u64 taken;

	if (!limit)
		return FRAME_BATCH;
	taken = atomic_fetch_add(&port->taken, FRAME_BATCH);
	if (taken + FRAME_BATCH <= limit)
		return FRAME_BATCH;
	atomic_fetch_sub(&port->taken,
			 taken >= limit ? FRAME_BATCH : taken + FRAME_BATCH - limit);
	return taken >= limit ? 0 : (int)(limit - taken);
}

static void give_back(const struct worker *worker, struct port *port, int count)
{
	if (count && worker->crew->task->opts->max_packets)
		atomic_fetch_sub(&port->taken, count);
}

/* What the packets took, from receiving them on. */
static void count_time(struct worker *worker, struct port_queue *queue)
{
	const u64 start = worker->now_ns;

	worker->now_ns = os_time_ns(CLOCK_MONOTONIC);
	counter_add(&queue->rx.run_ns, worker->now_ns - start);
}

/* One batch from one queue; the number of packets. */
static int serve_queue(struct worker *worker, struct port_queue *queue)
{
	const struct port_ops *ops = queue->port->ops;
	struct frame *frames =
		ops->abilities & PORT_OWN_MEMORY ? worker->borrowed : worker->copies;
	int count = reserve(worker, queue->port), got = -ENODATA;
	struct skep_error err = {};

	if (count)
		got = ops->receive(queue, frames, count, &err);
	give_back(worker, queue->port, count - max(got, 0));
	if (got > 0) {
		if (unlikely(queue->port->listener))
			listener_hear(queue->port->listener, worker->path.env,
				      worker->path.runner, frames, got);
		xdp_receive(&worker->path, queue, frames, got);
		if (ops->release)
			ops->release(queue);
		count_time(worker, queue);
		return got;
	}
	if (got < 0)
		end_queue(queue);
	if (got < 0 && got != -ENODATA)
		fail(worker->crew, got, &err);
	return 0;
}

/* What other workers redirected to this one. */
static int serve_cpu(struct worker *worker)
{
	struct cpu_frame *frames[FRAME_BATCH];
	const u32 count = cpu_take(worker->path.cpu, frames);

	if (!count)
		return 0;
	redirect_receive(&worker->path, frames, count);
	cpu_done(worker->path.cpu, frames, count);
	worker->now_ns = os_time_ns(CLOCK_MONOTONIC);
	return (int)count;
}

/* One round over all queues; how many packets. */
static int serve_all(struct worker *worker)
{
	int packets = worker->path.cpu ? serve_cpu(worker) : 0;

	for (u32 i = 0; i < worker->queue_count; i++) {
		struct port_queue *queue = worker->queues[i];

		packets += serve_queue(worker, queue);
		if (likely(!is_at_end(queue)))
			continue;
		worker->queues[i--] = worker->queues[--worker->queue_count];
		if (!worker->queue_count && worker->path.cpu)
			cpu_end(worker->path.cpu);
	}
	return packets;
}

/* --- waiting --- */

static u64 poll_ns(const struct worker *worker)
{
	return worker->idle < SPINS		  ? 0
	       : worker->idle < POLLS_BEFORE_LONG ? POLL_SHORT_NS
						  : POLL_LONG_NS;
}

/* How long to sleep for the queue's sake. */
static u64 queue_wait_ns(const struct worker *worker, const struct port_queue *queue)
{
	if (queue->is_polled)
		return poll_ns(worker);
	if (!queue->due_ns)
		return WAIT_NS;
	return queue->due_ns > worker->now_ns ? min(queue->due_ns - worker->now_ns, WAIT_NS)
					      : 0;
}

/* Nothing came: sleeps until a queue is readable, a tick is due or a stop is asked for. */
static void wait_for_frames(const struct worker *worker)
{
	const struct crew_task *task = worker->crew->task;
	struct cpu *cpu = worker->path.cpu;
	struct pollfd fds[PORTS_MAX + 2] = {{.fd = task->stop_fd, .events = POLLIN}};
	u64 wait = WAIT_NS;
	int count = 1;

	for (u32 i = 0; i < worker->queue_count; i++) {
		const struct port_queue *queue = worker->queues[i];

		wait = min(wait, queue_wait_ns(worker, queue));
		if (queue->wait_fd >= 0)
			fds[count++] = (struct pollfd){.fd = queue->wait_fd, .events = POLLIN};
	}
	if (cpu)
		fds[count++] = (struct pollfd){.fd = cpu->wake_fd, .events = POLLIN};
	if (!wait || (cpu && !cpu_may_sleep(cpu)))
		return;
	ppoll(fds, count, &(struct timespec){.tv_nsec = wait}, NULL);
	if (cpu)
		cpu_awake(cpu);
}

/* --- a run --- */

/* The first worker's: whether time and tick let the run go on. */
static bool ask_tick(struct crew *crew, u64 now)
{
	const struct skep_ports_run_opts *opts = crew->task->opts;

	if (opts->max_ns && now - crew->start_ns >= opts->max_ns)
		return false;
	if (!crew->tick_ns || now < crew->tick_ns)
		return true;
	crew->tick_ns = now + opts->interval_ns;
	return !opts->tick(opts->cookie);
}

/* The first worker's. */
static void tick_forwarding(const struct worker *worker)
{
	struct crew *crew = worker->crew;

	if (!worker->path.forwarder || worker->now_ns < crew->forward_ns)
		return;
	crew->forward_ns = worker->now_ns + FORWARD_TICK_NS;
	forward_tick(&crew->task->path, worker->now_ns);
}

static bool goes_on(struct worker *worker)
{
	struct crew *crew = worker->crew;

	if (atomic_load_explicit(crew->task->stop, memory_order_relaxed) ||
	    atomic_load_explicit(&crew->stop, memory_order_relaxed))
		return false;
	if (worker->index)
		return true;
	tick_forwarding(worker);
	if (ask_tick(crew, worker->now_ns))
		return true;
	atomic_store_explicit(&crew->stop, true, memory_order_relaxed);
	return false;
}

/* Whether packets may still come. */
static bool has_sources(const struct worker *worker)
{
	return worker->queue_count || (worker->path.cpu && !cpus_are_done(worker->crew->cpus));
}

static void worker_run(struct worker *worker)
{
	while (has_sources(worker) && goes_on(worker)) {
		if (serve_all(worker)) {
			worker->idle = 0;
		} else if (has_sources(worker)) {
			worker->idle++;
			wait_for_frames(worker);
			worker->now_ns = os_time_ns(CLOCK_MONOTONIC);
		}
	}
}

static void worker_free(struct worker *worker)
{
	if (!worker)
		return;
	if (worker->memory)
		munmap(worker->memory, FRAME_BATCH * FRAME_STRIDE);
	runner_free(worker->path.runner);
	forward_cache_free(worker->path.cache);
	free(worker);
}

/* Worker n has the queues n of all ports that are not at their end. */
static void find_queues(struct worker *worker)
{
	for (u32 i = 0; i < PORTS_MAX; i++) {
		struct port *port = worker->crew->task->ports[i];

		if (port && worker->index < port->queue_count &&
		    !is_at_end(&port->queues[worker->index]))
			worker->queues[worker->queue_count++] = &port->queues[worker->index];
	}
}

static struct worker *worker_new(struct crew *crew, u32 index)
{
	struct worker *worker = aligned_alloc(CACHE_LINE, sizeof(*worker));

	if (!worker)
		return NULL;
	memset(worker, 0, sizeof(*worker));
	worker->crew = crew;
	worker->index = index;
	worker->now_ns = crew->start_ns;
	worker->path = crew->task->path;
	worker->path.outbox = &worker->outbox;
	worker->outbox.queue = index;
	worker->path.cpu = crew->cpus ? &crew->cpus->cpu[index] : NULL;
	worker->memory = mmap(NULL, FRAME_BATCH * FRAME_STRIDE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	worker->path.runner = runner_new();
	if (worker->memory == MAP_FAILED)
		worker->memory = NULL;
	if (worker->path.forwarder)
		worker->path.cache = forward_cache_new();
	if (!worker->memory || !worker->path.runner) {
		worker_free(worker);
		return NULL;
	}
	find_queues(worker);
	if (worker->queue_count && worker->path.cpu)
		cpu_begin(worker->path.cpu);
	for (u32 i = 0; i < FRAME_BATCH; i++) {
		struct frame *frame = &worker->copies[i];

		frame->memory = worker->memory + i * FRAME_STRIDE;
		frame->end = frame->memory + PACKET_HEADROOM + FRAME_DATA_MAX;
	}
	return worker;
}

/* The n-th of the CPUs that the caller may run on. */
static void pin(const struct crew *crew, u32 n)
{
	const int allowed = CPU_COUNT(&crew->allowed);
	cpu_set_t one;
	int cpu = -1;

	if (!allowed)
		return;
	for (n = n % allowed + 1; n; n--)
		for (cpu++; !CPU_ISSET(cpu, &crew->allowed); cpu++)
			;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

static void *worker_thread(void *cookie)
{
	struct worker *worker = cookie;

	pin(worker->crew, worker->index);
	worker_run(worker);
	/* Release pairs with the acquire of the first worker: what this one counted is seen. */
	atomic_fetch_sub_explicit(&worker->crew->running, 1, memory_order_release);
	return NULL;
}

static u32 crew_size(const struct crew_task *task)
{
	u32 count = max(task->opts->workers, 1u);

	for (u32 i = 0; i < PORTS_MAX; i++)
		if (task->ports[i])
			count = max(count, task->ports[i]->queue_count);
	return count;
}

static int crew_hire(struct crew *crew)
{
	if (crew->count > 1 && !(crew->cpus = cpus_new(crew->count)))
		return error_set(crew->err, SKEP_STAGE_PORT, -ENOMEM,
				 "no memory or descriptors for %u workers", crew->count);
	for (u32 i = 0; i < crew->count; i++) {
		crew->workers[i] = worker_new(crew, i);
		if (!crew->workers[i])
			return error_set(crew->err, SKEP_STAGE_PORT, -ENOMEM,
					 "no memory for worker %u", i);
	}
	return 0;
}

/* The others run on threads of their own; who cannot be started leaves his queues unserved,
 * which fails the run. */
static void crew_start(struct crew *crew)
{
	for (u32 i = 1; i < crew->count; i++) {
		struct worker *worker = crew->workers[i];
		struct skep_error err = {};
		int code;

		atomic_fetch_add(&crew->running, 1);
		code = pthread_create(&worker->thread, NULL, worker_thread, worker);
		worker->is_started = !code;
		if (!code)
			continue;
		atomic_fetch_sub(&crew->running, 1);
		error_set(&err, SKEP_STAGE_PORT, -code, "no thread for worker %u: %s", i,
			  strerror(code));
		fail(crew, -code, &err);
		atomic_store_explicit(&crew->stop, true, memory_order_relaxed);
	}
}

/* Ticks go on while others work. */
static void crew_join(struct crew *crew)
{
	struct pollfd stop = {.fd = crew->task->stop_fd, .events = POLLIN};

	while (atomic_load_explicit(&crew->running, memory_order_acquire) &&
	       goes_on(crew->workers[0])) {
		poll(&stop, 1, JOIN_MS);
		crew->workers[0]->now_ns = os_time_ns(CLOCK_MONOTONIC);
	}
	for (u32 i = 1; i < crew->count; i++)
		if (crew->workers[i]->is_started)
			pthread_join(crew->workers[i]->thread, NULL);
}

/* What was on its way to another worker when the run was stopped is not lost. */
static void deliver_rest(struct crew *crew)
{
	bool found = crew->cpus;

	while (found) {
		found = false;
		for (u32 i = 0; i < crew->count; i++)
			while (serve_cpu(crew->workers[i]))
				found = true;
	}
}

static void finish_ports(struct crew *crew)
{
	for (u32 i = 0; i < PORTS_MAX; i++) {
		struct port *port = crew->task->ports[i];
		int code = port && port->ops->finish ? port->ops->finish(port) : 0;
		struct skep_error err = {};

		if (!code)
			continue;
		error_set(&err, SKEP_STAGE_PORT, code, "%s: writing: %s", port->spec,
			  strerror(-code));
		fail(crew, code, &err);
	}
}

static void crew_work(struct crew *crew)
{
	if (crew->count > 1)
		pin(crew, 0);
	crew_start(crew);
	worker_run(crew->workers[0]);
	crew_join(crew);
	deliver_rest(crew);
	if (crew->count > 1)
		pthread_setaffinity_np(pthread_self(), sizeof(crew->allowed), &crew->allowed);
	if (crew->task->path.forwarder)
		forward_finish(&crew->task->path);
	finish_ports(crew);
}

int crew_run(const struct crew_task *task, struct skep_error *err)
{
	struct crew crew = {
		.task = task,
		.count = crew_size(task),
		.start_ns = os_time_ns(CLOCK_MONOTONIC),
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.err = err,
	};
	int code;

	if (task->opts->workers > CREW_MAX)
		return error_set(err, SKEP_STAGE_PORT, -EINVAL,
				 "%u workers: expected at most %u", task->opts->workers,
				 CREW_MAX);
	if (task->opts->interval_ns && task->opts->tick)
		crew.tick_ns = crew.start_ns + task->opts->interval_ns;
	if (pthread_getaffinity_np(pthread_self(), sizeof(crew.allowed), &crew.allowed))
		CPU_ZERO(&crew.allowed);
	code = crew_hire(&crew);
	if (!code) {
		crew_work(&crew);
		code = crew.failed;
	}
	for (u32 i = 0; i < crew.count; i++)
		worker_free(crew.workers[i]);
	cpus_free(crew.cpus);
	return code;
}
