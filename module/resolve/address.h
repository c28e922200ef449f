/* address.h - which IP addresses are public: a policy host or a report address that
 * a stranger chose must not make us talk to our own network.
 * Pure: no I/O. */
#ifndef RTLS_ADDRESS_H
#define RTLS_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

/* An IPv4 or IPv6 address with room for both. */
union rtls_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* text is an address without port; "fe80::1%eth0" with its scope. False: it
 * is none, and address is untouched. */
bool rtls_address_parse(const char *text, union rtls_address *address);

/*
 * False for loopback, private, link-local, shared (CGNAT), multicast, reserved and
 * unspecified addresses, for IPv4 in disguise (mapped, compatible, NAT64 and
 * 6to4 around one of these), and for families that are not IP. The documentation networks
 * (RFC 5737, RFC 3849) count as public: nothing answers there, except in the lab.
 */
bool rtls_address_is_public(const union rtls_address *address);

/* 127.0.0.0/8 and ::1. */
bool rtls_address_is_loopback(const union rtls_address *address);

#endif
