/*
 * Reads one block over and over with libmodbus, a thread and a connection for each port: `modbus_client <at> <count> <port>...`.
 * Prints `ready`; each line `<ms>` on standard input is answered with blocks read, ms passed and CPU time used, us.
 */
#include <errno.h>
#include <modbus/modbus.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { most = 64 };

struct reader {
    modbus_t *bus;
    pthread_t thread;
    long blocks;
};

static int at, count;
static double end;

static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static double cpu_us(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

static void *read_on(void *given) {
    struct reader *reader = given;
    uint16_t registers[MODBUS_MAX_READ_REGISTERS];
    while (now_ms() < end) {
        if (modbus_read_input_registers(reader->bus, at, count, registers) != count) {
            fprintf(stderr, "libmodbus: %s\n", modbus_strerror(errno));
            exit(1);
        }
        reader->blocks++;
    }
    return NULL;
}

int main(int argc, char **argv) {
    static struct reader readers[most];
    int ports = argc - 3;
    if (ports < 1 || ports > most) return 2;
    at = atoi(argv[1]);
    count = atoi(argv[2]);
    for (int i = 0; i < ports; i++) {
        readers[i].bus = modbus_new_tcp("127.0.0.1", atoi(argv[i + 3]));
        if (readers[i].bus == NULL || modbus_set_slave(readers[i].bus, 1) < 0 || modbus_connect(readers[i].bus) < 0) return 1;
    }
    printf("ready\n");
    fflush(stdout);
    double ms;
    while (scanf("%lf", &ms) == 1) {
        double began = now_ms(), used = cpu_us();
        long blocks = 0;
        end = began + ms;
        for (int i = 0; i < ports; i++) {
            readers[i].blocks = 0;
            pthread_create(&readers[i].thread, NULL, read_on, &readers[i]);
        }
        for (int i = 0; i < ports; i++) {
            pthread_join(readers[i].thread, NULL);
            blocks += readers[i].blocks;
        }
        printf("%ld %.3f %.0f\n", blocks, now_ms() - began, cpu_us() - used);
        fflush(stdout);
    }
    return 0;
}
