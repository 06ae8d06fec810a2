/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DHCP's messages, apart from the network: what is answered to what.
 */
#ifndef BOARD_DHCP_H
#define BOARD_DHCP_H

#include <stdbool.h>
#include <stdint.h>

#define DHCP_MESSAGE_MAX 576
/* Hosts of old want no less. */
#define DHCP_ANSWER 300

/**
 * dhcp_answer - the answer to a message of the host
 * @message: what came
 * @len: bytes of it
 * @answer: the answer
 * @to: the address to send it to
 *
 * Return: whether there is one.
 */
bool dhcp_answer(const uint8_t *message, uint32_t len,
		 uint8_t answer[DHCP_ANSWER], uint8_t to[4]);

#endif /* BOARD_DHCP_H */
