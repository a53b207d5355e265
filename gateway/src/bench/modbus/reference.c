/* Reads 124 holding registers over and over with libmodbus, and prints the floats per second.
 *
 * reference ADDRESS PORT SECONDS
 */
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define REGISTERS 124

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int count, char **words) {
    if (count != 4) return 2;
    modbus_t *client = modbus_new_tcp(words[1], atoi(words[2]));
    uint16_t registers[REGISTERS];
    long reads = 0;
    if (client == NULL || modbus_set_slave(client, 1) == -1 || modbus_connect(client) == -1) return 1;
    double start = now(), until = start + atof(words[3]);
    while (now() < until) {
        if (modbus_read_registers(client, 0, REGISTERS, registers) != REGISTERS) return 1;
        reads++;
    }
    printf("%.0f\n", reads * (REGISTERS / 2) / (now() - start));
    modbus_close(client);
    modbus_free(client);
    return 0;
}
