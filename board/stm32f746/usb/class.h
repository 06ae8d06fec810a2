/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The function that the device has: the device core calls it.
 */
#ifndef BOARD_CLASS_H
#define BOARD_CLASS_H

#include "dcd.h"

/* The host has configured the device: the endpoints can be opened; and that is over. */
void class_open(enum usb_speed speed);
void class_close(void);

/* An encapsulated command has come.  Return: false refuses it. */
bool class_command(const uint8_t *data, uint16_t len);

/* The host fetches an answer, of at most size bytes.  Return: its length, at least 1. */
uint16_t class_response(uint8_t *data, uint16_t size);

/* Transfers on the function's endpoints have ended. */
void class_sent(uint8_t address);
void class_received(uint8_t address, uint32_t len);

#endif /* BOARD_CLASS_H */
