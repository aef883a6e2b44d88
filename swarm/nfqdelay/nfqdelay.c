/*
 * nfqdelay QUEUE: holds every packet of an NFQUEUE for a time, then lets it go. What `tc netem delay` does, for kernels
 * without sch_netem. Reads lines `DELAY_US JITTER_US` from standard input, at any time; until the first, nothing is held.
 * Needs CAP_NET_ADMIN in the network namespace. To build: cc -O2 -static -o nfqdelay nfqdelay.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct held {
	uint64_t at;
	uint32_t id;
};

/* The kernel drops what does not fit into its queue; so many packets are more than any test holds. */
enum { MOST_HELD = 65536, BUFFER = 1 << 18, RECEIVE_BYTES = 8 << 20 };

static struct held heap[MOST_HELD];
static size_t count;
static int netlink;
static uint16_t queue;
static volatile sig_atomic_t stopped;

static uint64_t now_us(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void push(uint64_t at, uint32_t id) {
	size_t i = count++;
	for (; i > 0 && heap[(i - 1) / 2].at > at; i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
	heap[i] = (struct held){at, id};
}

static uint32_t pop(void) {
	uint32_t id = heap[0].id;
	struct held last = heap[--count];
	size_t i = 0;
	for (size_t child; (child = 2 * i + 1) < count; i = child) {
		if (child + 1 < count && heap[child + 1].at < heap[child].at) child++;
		if (heap[child].at >= last.at) break;
		heap[i] = heap[child];
	}
	heap[i] = last;
	return id;
}

static void message(int type, int attribute, const void *data, size_t length, int acknowledged) {
	struct {
		struct nlmsghdr head;
		struct nfgenmsg family;
		struct nlattr attribute;
		char data[64];
	} m;
	memset(&m, 0, sizeof m);
	m.head.nlmsg_type = (NFNL_SUBSYS_QUEUE << 8) | type;
	m.head.nlmsg_flags = NLM_F_REQUEST | (acknowledged ? NLM_F_ACK : 0);
	m.family.nfgen_family = AF_UNSPEC;
	m.family.res_id = htons(queue);
	m.attribute.nla_type = attribute;
	m.attribute.nla_len = NLA_HDRLEN + length;
	memcpy(m.data, data, length);
	m.head.nlmsg_len = NLMSG_LENGTH(sizeof m.family) + NLA_ALIGN(m.attribute.nla_len);
	if (send(netlink, &m, m.head.nlmsg_len, 0) < 0) {
		perror("nfqdelay: netlink");
		exit(1);
	}
	if (!acknowledged) return;
	char answer[4096];
	ssize_t got = recv(netlink, answer, sizeof answer, 0);
	struct nlmsghdr *head = (struct nlmsghdr *)answer;
	if (got <= 0 || head->nlmsg_type != NLMSG_ERROR) return;
	int error = ((struct nlmsgerr *)NLMSG_DATA(head))->error;
	if (error == 0) return;
	fprintf(stderr, "nfqdelay: the kernel refuses queue %d: %s\n", queue, strerror(-error));
	exit(1);
}

static void accept_packet(uint32_t id) {
	struct nfqnl_msg_verdict_hdr verdict = {htonl(NF_ACCEPT), htonl(id)};
	message(NFQNL_MSG_VERDICT, NFQA_VERDICT_HDR, &verdict, sizeof verdict, 0);
}

static void take(struct nlmsghdr *head, uint64_t hold_us) {
	char *at = (char *)NLMSG_DATA(head) + NLMSG_ALIGN(sizeof(struct nfgenmsg));
	char *end = (char *)head + head->nlmsg_len;
	while (at + NLA_HDRLEN <= end) {
		struct nlattr *attribute = (struct nlattr *)at;
		if (attribute->nla_len < NLA_HDRLEN) return;
		if ((attribute->nla_type & NLA_TYPE_MASK) == NFQA_PACKET_HDR) {
			uint32_t id = ntohl(((struct nfqnl_msg_packet_hdr *)(at + NLA_HDRLEN))->packet_id);
			if (hold_us == 0 || count == MOST_HELD) accept_packet(id);
			else push(now_us() + hold_us, id);
		}
		at += NLA_ALIGN(attribute->nla_len);
	}
}

static void stop(int signal) {
	(void)signal;
	stopped = 1;
}

int main(int argc, char **argv) {
	if (argc != 2) {
		fprintf(stderr, "usage: nfqdelay QUEUE <DELAYS\n");
		return 2;
	}
	queue = (uint16_t)atoi(argv[1]);
	srand48((long)now_us());
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	netlink = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	if (netlink < 0 || bind(netlink, (struct sockaddr *)&self, sizeof self) < 0) {
		perror("nfqdelay: netlink");
		return 1;
	}
	int bytes = RECEIVE_BYTES, yes = 1;
	setsockopt(netlink, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
	setsockopt(netlink, SOL_NETLINK, NETLINK_NO_ENOBUFS, &yes, sizeof yes);
	struct nfqnl_msg_config_cmd bind_queue = {.command = NFQNL_CFG_CMD_BIND, .pf = htons(AF_INET)};
	message(NFQNL_MSG_CONFIG, NFQA_CFG_CMD, &bind_queue, sizeof bind_queue, 1);
	struct nfqnl_msg_config_params params = {.copy_range = 0, .copy_mode = NFQNL_COPY_META};
	message(NFQNL_MSG_CONFIG, NFQA_CFG_PARAMS, &params, sizeof params, 1);
	uint32_t longest = htonl(MOST_HELD);
	message(NFQNL_MSG_CONFIG, NFQA_CFG_QUEUE_MAXLEN, &longest, sizeof longest, 1);

	static char buffer[BUFFER];
	double delay_us = 0, jitter_us = 0;
	char line[128];
	size_t length = 0;
	while (!stopped) {
		uint64_t now = now_us();
		while (count > 0 && heap[0].at <= now) accept_packet(pop());
		struct timespec wait = {1, 0};
		if (count > 0) {
			uint64_t left = heap[0].at > now ? heap[0].at - now : 0;
			wait.tv_sec = (time_t)(left / 1000000);
			wait.tv_nsec = (long)(left % 1000000 * 1000);
		}
		struct pollfd files[2] = {{netlink, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
		if (ppoll(files, 2, &wait, NULL) <= 0) continue;
		if (files[1].revents & POLLIN) {
			ssize_t got = read(STDIN_FILENO, line + length, sizeof line - 1 - length);
			if (got > 0) length += (size_t)got;
			line[length] = 0;
			if (strchr(line, '\n') != NULL || length == sizeof line - 1) {
				sscanf(line, "%lf %lf", &delay_us, &jitter_us);
				length = 0;
			}
		}
		if (!(files[0].revents & POLLIN)) continue;
		ssize_t got = recv(netlink, buffer, sizeof buffer, MSG_DONTWAIT);
		for (struct nlmsghdr *head = (struct nlmsghdr *)buffer; got > 0 && NLMSG_OK(head, (uint32_t)got); head = NLMSG_NEXT(head, got)) {
			if (head->nlmsg_type != ((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET)) continue;
			double hold = delay_us + (drand48() * 2 - 1) * jitter_us;
			take(head, hold > 0 ? (uint64_t)hold : 0);
		}
	}
	while (count > 0) accept_packet(pop());
	return 0;
}
