// Runs firmware in simavr as fast as the wall clock at most, with its first UART on a pseudo terminal.
//
//     bridge FIRMWARE.elf MCU HZ [PIN...]      PIN: a port letter and a bit, "B0"
//
// Prints "PORT name" of the pseudo terminal, then one line for every change of a watched pin or of a duty, which is
// looked at every millisecond: "PIN microseconds-of-simulated-time B0 1", "PWM microseconds timer-output duty". Ends
// when standard input closes. A line "EDGE D2" there gives a pin a rising edge.

#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <simavr/avr_ioport.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>

static avr_t *avr;
static avr_irq_t *uart_in;
static int master;
static int may_send = 1;

static unsigned long long now_us(void) { return avr->cycle * 1000000ULL / avr->frequency; }

static void from_uart(avr_irq_t *irq, uint32_t value, void *param) {
  unsigned char byte = (unsigned char)value;
  (void)irq;
  (void)param;
  if (write(master, &byte, 1) != 1) return;
}

static void uart_ready(avr_irq_t *irq, uint32_t value, void *param) {
  (void)irq;
  (void)value;
  may_send = param != NULL;
}

static void pin_changed(avr_irq_t *irq, uint32_t value, void *param) {
  (void)irq;
  printf("PIN %llu %s %u\n", now_us(), (const char *)param, value);
}

static void watch(const char *pin) {
  avr_irq_t *irq = avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ(pin[0]), pin[1] - '0');
  if (irq) avr_irq_register_notify(irq, pin_changed, (void *)pin);
}

// Duty of the compare outputs of timers 1 and 2 of an ATmega328P, 0 while the output is not connected to its pin.
static void sample_pwm(void) {
  static const struct { const char *name; uint16_t compare, control; uint8_t is_connected; } outputs[] = {
      {"1A", 0x88, 0x80, 0x80}, {"1B", 0x8A, 0x80, 0x20}, {"2A", 0xB3, 0xB0, 0x80}, {"2B", 0xB4, 0xB0, 0x20}};
  static int shown[4];
  for (int n = 0; n < 4; n++) {
    int duty = avr->data[outputs[n].control] & outputs[n].is_connected ? avr->data[outputs[n].compare] : 0;
    if (duty != shown[n]) printf("PWM %llu %s %d\n", now_us(), outputs[n].name, duty);
    shown[n] = duty;
  }
}

// Gives false when whoever started us is gone.
static int obey(void) {
  struct pollfd input = {.fd = 0, .events = POLLIN};
  char text[80];
  if (poll(&input, 1, 0) <= 0) return 1;
  ssize_t count = read(0, text, sizeof text - 1);
  if (count <= 0) return 0;
  text[count] = 0;
  if (!strncmp(text, "EDGE ", 5) && count >= 7) {
    avr_irq_t *irq = avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ(text[5]), text[6] - '0');
    avr_raise_irq(irq, 0);
    avr_raise_irq(irq, 1);
  }
  return 1;
}

static void feed_uart(void) {
  unsigned char byte;
  if (may_send && read(master, &byte, 1) == 1) avr_raise_irq(uart_in, byte);
}

int main(int argc, char **argv) {
  static elf_firmware_t firmware;
  struct termios raw;
  char name[128];
  int slave;
  if (argc < 4 || elf_read_firmware(argv[1], &firmware) != 0 || !(avr = avr_make_mcu_by_name(argv[2]))) return 2;
  avr_init(avr);
  firmware.frequency = (uint32_t)strtoul(argv[3], NULL, 10);
  avr_load_firmware(avr, &firmware);
  avr->frequency = firmware.frequency;
  avr->log = LOG_ERROR;
  if (openpty(&master, &slave, name, NULL, NULL) != 0) return 3;
  tcgetattr(slave, &raw);
  cfmakeraw(&raw);
  tcsetattr(slave, TCSANOW, &raw);
  fcntl(master, F_SETFL, O_NONBLOCK);
  uint32_t flags = 0;
  avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);  // neither echo nor sleep
  uart_in = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
  avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), from_uart, NULL);
  avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), uart_ready, avr);
  avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), uart_ready, NULL);
  for (int n = 4; n < argc; n++) watch(argv[n]);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("PORT %s\n", name);

  struct timespec start, now;
  clock_gettime(CLOCK_MONOTONIC, &start);
  unsigned long long behind_us = 0;  // wall time that the core could not keep up with
  for (;;) {
    if (!obey()) return 0;
    unsigned long long until = avr->cycle + avr->frequency / 1000;  // a millisecond
    while (avr->cycle < until) {
      int state = avr_run(avr);
      if (state == cpu_Done || state == cpu_Crashed) return 4;
    }
    feed_uart();
    sample_pwm();
    clock_gettime(CLOCK_MONOTONIC, &now);
    unsigned long long wall_us =
        (unsigned long long)(now.tv_sec - start.tv_sec) * 1000000ULL + (now.tv_nsec - start.tv_nsec) / 1000;
    if (now_us() + behind_us > wall_us) {
      usleep((useconds_t)(now_us() + behind_us - wall_us));
    } else {
      behind_us = wall_us - now_us();
    }
  }
}
