// delay MICROSECONDS NAMESPACE...: a network between namespaces of this machine in which every packet is delayed.
//
// Each namespace gets a device `seg0`; a packet from one goes to the namespace whose number is the last part of its destination, 10.77.0.N,
// after the delay. For kernels without `tc`'s netem. Runs until its standard input ends.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { most = 64, size = 65536 };
static const long limit = 256l << 20;

struct packet {
    struct packet *next;
    double due;
    int target, count;
    uint8_t bytes[];
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int device(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "/run/netns/%s", name);
    const int space = open(path, O_RDONLY);
    if (space < 0 || setns(space, CLONE_NEWNET) != 0) return -1;
    close(space);
    const int file = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    struct ifreq request;
    memset(&request, 0, sizeof request);
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    strcpy(request.ifr_name, "seg0");
    return file >= 0 && ioctl(file, TUNSETIFF, &request) == 0 ? file : -1;
}

int main(int count, char **words) {
    const double delay = count > 1 ? 1e-6 * atof(words[1]) : 0;
    const int nodes = count - 2;
    struct pollfd files[most + 1];
    if (nodes < 1 || nodes > most) return 2;
    for (int node = 0; node < nodes; node++) {
        files[node].fd = device(words[node + 2]);
        files[node].events = POLLIN;
        if (files[node].fd < 0) {
            perror(words[node + 2]);
            return 1;
        }
    }
    files[nodes].fd = 0;
    files[nodes].events = POLLIN;
    puts("ready");
    fflush(stdout);
    struct packet *first = NULL, *last = NULL, *spare = malloc(sizeof *spare + size);
    long held = 0;
    for (;;) {
        double wait = first ? first->due - now() : 1;
        if (wait < 0) wait = 0;
        const struct timespec pause = {(time_t)wait, (long)(1e9 * (wait - (double)(time_t)wait))};
        ppoll(files, (nfds_t)nodes + 1, &pause, NULL);
        char end;
        if (files[nodes].revents && read(0, &end, 1) == 0) return 0;
        for (int node = 0; node < nodes; node++) {
            if (!files[node].revents) continue;
            for (int many = 0; many < 64; many++) {
                if (!spare) spare = malloc(sizeof *spare + size);
                const ssize_t read_count = spare ? read(files[node].fd, spare->bytes, size) : -1;
                if (read_count < 20) break;
                // Only IPv4; the target is the last byte of the destination.
                const int target = spare->bytes[0] >> 4 == 4 ? spare->bytes[19] - 1 : -1;
                if (target < 0 || target >= nodes || held + read_count > limit) continue;
                struct packet *packet = malloc(sizeof *packet + (size_t)read_count);
                if (!packet) continue;
                memcpy(packet->bytes, spare->bytes, (size_t)read_count);
                *packet = (struct packet){NULL, now() + delay, target, (int)read_count};
                held += read_count;
                if (last) last->next = packet; else first = packet;
                last = packet;
            }
        }
        while (first && first->due <= now()) {
            struct packet *packet = first;
            if (write(files[packet->target].fd, packet->bytes, (size_t)packet->count) < 0 && errno == EAGAIN) break;
            first = packet->next;
            if (!first) last = NULL;
            held -= packet->count;
            free(packet);
        }
    }
}
