/* SPDX-License-Identifier: BSD-2-Clause */
/* What a port is like as a device of the routes. */
#include "net/forward.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MTU_DEFAULT 1500

static bool ask_interface(int fd, const char *name, unsigned long what, struct ifreq *out)
{
	*out = (struct ifreq){};
	snprintf(out->ifr_name, sizeof(out->ifr_name), "%s", name);
	return !ioctl(fd, what, out);
}

/* The interface's name in the port's spec. */
static void interface_name(const struct port *port, char *out, size_t size)
{
	const char *args = strchr(port->spec, ':');

	snprintf(out, size, "%.*s", (int)strcspn(args + 1, ","), args + 1);
}

/* The far side of a TAP is the host's: the port has an address of its own. */
static void read_interface(const struct port *port, struct route_device *device)
{
	const bool is_far = !strcmp(port->ops->name, "tap") || !strcmp(port->ops->name, "tun");
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq about;

	interface_name(port, device->name, sizeof(device->name));
	if (fd < 0)
		return;
	if (!is_far && ask_interface(fd, device->name, SIOCGIFHWADDR, &about))
		memcpy(device->mac, about.ifr_hwaddr.sa_data, ETH_ALEN);
	if (ask_interface(fd, device->name, SIOCGIFMTU, &about))
		device->mtu = about.ifr_mtu;
	close(fd);
}

int forward_add_device(struct route_set *set, const struct port *port)
{
	struct route_device *device = route_add(set, devices, struct route_device);

	if (!device)
		return -ENOMEM;
	*device = (struct route_device){
		.ifindex = port->ifindex,
		.mtu = MTU_DEFAULT,
		.header = ETH_HLEN,
		.mac = {0x02, 's', 'k', 'e', 'p', port->ifindex},
		.is_up = true,
		.forwards_ipv4 = true,
		.forwards_ipv6 = true,
	};
	if (port->ops->is_interface)
		read_interface(port, device);
	else
		snprintf(device->name, sizeof(device->name), "port%u", port->ifindex);
	return 0;
}
