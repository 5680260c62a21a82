/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine's own routes: what bpf_fib_lookup() and bpf_check_mtu() ask. A new engine has none
 * (and Linux's rules), its ports are devices with an MTU of 1500 bytes that forward, and device
 * 1 is a loopback with one of 65536 that does not, unless it is a port.
 *
 * As text they are in the words of ip(8), one row a line; '#' begins a comment line:
 *
 *	device 2 name lan mtu 1500 address 02:00:00:00:00:01 forwarding inet
 *	address 10.0.0.1/24 dev lan
 *	neighbour 10.0.0.7 dev lan lladdr 02:00:00:00:00:07
 *	default via 10.0.0.7 dev 2 src 10.0.0.1 metric 5 table main
 *	blackhole 10.66.0.0/16
 *	2001:db8::/32 via fe80::1 dev 2 mtu lock 1400
 *	rule 100 from 10.0.0.0/8 fwmark 0x1/0xff iif 2 lookup 100
 *
 *	10.9.0.0/16 via 10.0.0.7 dev 2 encap bpf xmit NAME
 *
 * Devices are the ifindexes of ports (skep/port.h), or names of earlier lines. `forwarding` is
 * on (so unless said otherwise), off, inet or inet6; `down` is a device that takes no packets.
 * An address brings the routes that Linux makes of it. Types of routes are unicast (so unless
 * said otherwise), local, broadcast, anycast, multicast, blackhole, unreachable, prohibit and
 * throw. `encap bpf` names loaded programs (in, out, xmit) that a router runs on what takes the
 * route (skep/forward.h). A family without a rule has Linux's. What `ip route` prints beside (proto, scope,
 * pref, onlink, linkdown) is passed over.
 */
#ifndef SKEP_ROUTE_H
#define SKEP_ROUTE_H

#include <skep/skep.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Replaces all routes, rules, neighbours, addresses and devices by those of the text (`length`
 * bytes, read during the call only). 0 or a negative errno, then the old ones stay: -EINVAL
 * (the text; the error names the line), -ENOMEM. `err` (may be NULL) gets a copy of
 * skep_engine_error().
 */
SKEP_API int skep_routes_set(struct skep_engine *engine, const char *text, size_t length,
			     struct skep_error *err);

/*
 * The same with those that the calling thread's network namespace has now, which netlink tells
 * everybody. Of several paths of a route the first is taken, and rules that look at more than
 * text rows can say are left out. An interface that an open port stands for (xdp:, packet:,
 * tap:, tun:) has the port's number; when there is one, the others have numbers that no port
 * has. 0 or a negative errno: that of the socket, -ENOMEM.
 */
SKEP_API int skep_routes_copy_host(struct skep_engine *engine, struct skep_error *err);

#ifdef __cplusplus
}
#endif
#endif
