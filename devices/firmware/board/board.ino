// Firmware of hilgui's home-made board: light panel with four channels, LED, power relay, trigger, photodiode.
// The protocol is docs/board-protocol.md of hilgui; numbers here and in devices/rigs/board_protocol.py are the same.
//
// What it promises: outputs are off before anything else happens after a start; with no command that feeds the dead-man
// for 250 ms they go off; a main loop that hangs is reset by the watchdog after 120 ms, and a reset leaves all pins as
// inputs, so every output needs a pull-down resistor (10 kΩ) on the board.
//
// For an Arduino Uno or Nano (ATmega328P, 16 MHz), 115200 baud, 8N1. Uses the Arduino core only.

#include <avr/wdt.h>

#include "crc16.h"

static const char MODEL[] = "hilgui-board";
static const char VERSION[] = "1.0";
static const char SERIAL_NUMBER[] = "0001";
static const uint8_t PROTOCOL = 1;

static const uint16_t DEAD_MAN_MS = 240;  // acts before 250 ms are over
static const uint16_t FULL = 1000;
static const uint16_t PULSE_MIN_US = 10, PULSE_MAX_US = 5000;
static const uint16_t REPEAT_MS = 500;
static const uint8_t LINE_LIMIT = 64;

static const uint8_t PANELS = 4;
static const uint8_t PANEL_PINS[PANELS] = {3, 9, 10, 11};  // timers 1 and 2: millis() keeps timer 0 for itself
static const uint8_t LED_PIN = 13, RELAY_PIN = 8, TRIGGER_PIN = 7, EDGE_PIN = 2, LEVEL_PIN = A0;

static uint8_t duty[PANELS];
static bool led_on, relay_on;
static uint32_t fed_ms;
static uint16_t trips;
static uint32_t trigger_us;
static uint8_t trigger_seq;
static uint32_t trigger_ms;
static bool has_triggered;
static volatile uint16_t edges;
static volatile uint32_t edge_us;

static char line[LINE_LIMIT + 1];
static uint8_t line_length;
static bool line_is_too_long;
static uint16_t answer_crc;

// Optiboot leaves the watchdog running and its cause in MCUSR: off with it before the core starts.
static uint8_t reset_cause __attribute__((section(".noinit")));
extern "C" void note_reset(void) __attribute__((naked, used, section(".init3")));
extern "C" void note_reset(void) {
  reset_cause = MCUSR;
  MCUSR = 0;
  wdt_disable();
}

static void all_off() {
  for (uint8_t n = 0; n < PANELS; n++) {
    duty[n] = 0;
    analogWrite(PANEL_PINS[n], 0);
  }
  digitalWrite(RELAY_PIN, LOW);
  digitalWrite(LED_PIN, LOW);
  digitalWrite(TRIGGER_PIN, LOW);
  led_on = relay_on = false;
}

static bool is_live() {
  if (led_on || relay_on) return true;
  for (uint8_t n = 0; n < PANELS; n++)
    if (duty[n]) return true;
  return false;
}

static void watch_dead_man() {
  if (is_live() && (uint32_t)(millis() - fed_ms) >= DEAD_MAN_MS) {
    all_off();
    trips++;
  }
}

static void on_edge() {
  edge_us = micros();
  edges++;
}

static uint8_t duty_of(uint16_t permille) { return ((uint32_t)permille * 255 + FULL / 2) / FULL; }

static uint16_t permille_of(uint8_t value) { return ((uint32_t)value * FULL + 127) / 255; }

// ---- answers

static void put(char letter) {
  answer_crc = crc16_add(answer_crc, (uint8_t)letter);
  Serial.write(letter);
}

static void put_text(const char *text) {
  while (*text) put(*text++);
}

static void put_number(uint32_t number) {
  char digits[11];
  put_text(ultoa(number, digits, 10));
}

static char hex_digit(uint8_t value) { return value < 10 ? '0' + value : 'A' + value - 10; }

static void begin_answer(uint8_t seq) {
  answer_crc = CRC16_START;
  put('<');
  put(hex_digit(seq >> 4));
  put(hex_digit(seq & 15));
  put(' ');
}

static void end_answer() {
  uint16_t crc = answer_crc;
  Serial.write('*');
  for (int8_t shift = 12; shift >= 0; shift -= 4) Serial.write(hex_digit((crc >> shift) & 15));
  Serial.write('\n');
}

static void answer(uint8_t seq, const char *body) {
  begin_answer(seq);
  put_text(body);
  end_answer();
}

static void answer_error(uint8_t seq, uint8_t code) {
  begin_answer(seq);
  put_text("ERR ");
  put_number(code);
  end_answer();
}

static void say_boot() {
  char cause = reset_cause & _BV(WDRF) ? 'W' : reset_cause & _BV(BORF) ? 'B' : reset_cause & _BV(EXTRF) ? 'E' : 'P';
  answer_crc = CRC16_START;
  put_text("!BOOT ");
  put_text(MODEL);
  put(' ');
  put_number(PROTOCOL);
  put(' ');
  put(cause);
  end_answer();
}

// ---- commands

static void say_identity(uint8_t seq) {
  begin_answer(seq);
  put_text("ID ");
  put_text(MODEL);
  put(' ');
  put_number(PROTOCOL);
  put(' ');
  put_text(VERSION);
  put(' ');
  put_text(SERIAL_NUMBER);
  end_answer();
}

static void say_state(uint8_t seq) {
  uint16_t level = analogRead(LEVEL_PIN);
  noInterrupts();
  uint16_t edges_now = edges;
  uint32_t edge_now = edge_us;
  interrupts();
  begin_answer(seq);
  put_text("GET");
  for (uint8_t n = 0; n < PANELS; n++) {
    put(' ');
    put_number(permille_of(duty[n]));
  }
  const uint32_t values[] = {led_on, relay_on, ((uint32_t)level * FULL + 511) / 1023, edges_now, edge_now,
                             trigger_us, trips, millis()};
  for (uint8_t n = 0; n < sizeof values / sizeof *values; n++) {
    put(' ');
    put_number(values[n]);
  }
  end_answer();
}

// Reads 1 to 5 decimal digits that fill the text; anything else is no number.
static bool number_of(const char *text, uint32_t *number) {
  uint8_t count = 0;
  *number = 0;
  for (; *text; text++) {
    if (*text < '0' || *text > '9' || ++count > 5) return false;
    *number = *number * 10 + (*text - '0');
  }
  return count > 0;
}

static void set_output(uint8_t seq, char *arguments) {
  char *value_text = strchr(arguments, ' ');
  uint32_t value;
  if (value_text == NULL) {
    answer_error(seq, 3);
    return;
  }
  *value_text++ = 0;
  bool is_good = number_of(value_text, &value);
  if (is_good && !strcmp(arguments, "led") && value <= 1) {
    led_on = value;
    digitalWrite(LED_PIN, led_on);
  } else if (is_good && !strcmp(arguments, "relay") && value <= 1) {
    relay_on = value;
    digitalWrite(RELAY_PIN, relay_on);
  } else if (is_good && !strncmp(arguments, "panel", 5) && arguments[5] >= '0' && arguments[5] < '0' + PANELS &&
             !arguments[6] && value <= FULL) {
    uint8_t n = arguments[5] - '0';
    duty[n] = duty_of(value);
    analogWrite(PANEL_PINS[n], duty[n]);
  } else {
    answer_error(seq, 3);
    return;
  }
  fed_ms = millis();
  answer(seq, "OK");
}

static void trigger(uint8_t seq, const char *argument) {
  uint32_t width_us;
  if (!number_of(argument, &width_us) || width_us < PULSE_MIN_US || width_us > PULSE_MAX_US) {
    answer_error(seq, 3);
    return;
  }
  bool is_repeated = has_triggered && seq == trigger_seq && (uint32_t)(millis() - trigger_ms) <= REPEAT_MS;
  if (!is_repeated) {
    trigger_us = micros();
    digitalWrite(TRIGGER_PIN, HIGH);
    delayMicroseconds(width_us);
    digitalWrite(TRIGGER_PIN, LOW);
  }
  has_triggered = true;
  trigger_seq = seq;
  trigger_ms = millis();
  begin_answer(seq);
  put_text("OK ");
  put_number(trigger_us);
  end_answer();
}

static int8_t hex_value(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

// Takes ">SS BODY*CCCC" and gives BODY, or NULL where form or checksum is wrong.
static char *body_of(char *text, uint8_t length, uint8_t *seq) {
  if (length < 10 || text[0] != '>' || text[3] != ' ' || text[length - 5] != '*') return NULL;
  uint16_t told = 0;
  for (uint8_t n = length - 4; n < length; n++) {
    int8_t digit = hex_value(text[n]);
    if (digit < 0) return NULL;
    told = told << 4 | digit;
  }
  text[length - 5] = 0;
  int8_t high = hex_value(text[1]), low = hex_value(text[2]);
  if (high < 0 || low < 0 || crc16_of(text) != told) return NULL;
  *seq = high << 4 | low;
  return text + 4;
}

static void obey(char *text, uint8_t length) {
  uint8_t seq = 0;
  char *body = body_of(text, length, &seq);
  if (body == NULL) {
    answer_error(0, 1);
  } else if (!strcmp(body, "KA")) {
    fed_ms = millis();
    answer(seq, "OK");
  } else if (!strcmp(body, "STOP")) {
    all_off();
    answer(seq, "OK");
  } else if (!strcmp(body, "GET?")) {
    say_state(seq);
  } else if (!strcmp(body, "ID?")) {
    say_identity(seq);
  } else if (!strncmp(body, "SET ", 4)) {
    set_output(seq, body + 4);
  } else if (!strncmp(body, "TRIG ", 5)) {
    trigger(seq, body + 5);
  } else {
    answer_error(seq, 2);
  }
}

static void listen() {
  while (Serial.available()) {
    char letter = Serial.read();
    if (letter == '\n') {
      if (line_length && line[line_length - 1] == '\r') line_length--;
      line[line_length] = 0;
      if (line_is_too_long)
        answer_error(0, 4);
      else if (line_length)
        obey(line, line_length);
      line_length = 0;
      line_is_too_long = false;
      return;  // one line, then the dead-man is looked at again
    }
    if (line_length < LINE_LIMIT)
      line[line_length++] = letter;
    else
      line_is_too_long = true;
  }
}

void setup() {
  for (uint8_t n = 0; n < PANELS; n++) pinMode(PANEL_PINS[n], OUTPUT);
  pinMode(RELAY_PIN, OUTPUT);
  pinMode(LED_PIN, OUTPUT);
  pinMode(TRIGGER_PIN, OUTPUT);
  all_off();
  pinMode(EDGE_PIN, INPUT);
  attachInterrupt(digitalPinToInterrupt(EDGE_PIN), on_edge, RISING);
  Serial.begin(115200);
  say_boot();
  wdt_enable(WDTO_120MS);
}

void loop() {
  wdt_reset();
  watch_dead_man();
  listen();
}
