// CRC-16/CCITT-FALSE: polynomial 0x1021, initial value 0xFFFF, nothing reflected, no final exclusive or.
#ifndef HILGUI_CRC16_H
#define HILGUI_CRC16_H

#include <stdint.h>

#define CRC16_START 0xFFFFu

static inline uint16_t crc16_add(uint16_t crc, uint8_t byte) {
  crc ^= (uint16_t)byte << 8;
  for (uint8_t bit = 0; bit < 8; bit++)
    crc = (crc & 0x8000u) ? (uint16_t)(crc << 1) ^ 0x1021u : (uint16_t)(crc << 1);
  return crc;
}

static inline uint16_t crc16_of(const char *text) {
  uint16_t crc = CRC16_START;
  while (*text) crc = crc16_add(crc, (uint8_t)*text++);
  return crc;
}

#endif
