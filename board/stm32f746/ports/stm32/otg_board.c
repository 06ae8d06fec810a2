// SPDX-License-Identifier: GPL-2.0
/*
 * What the Discovery has around the OTG block: pins, clocks and the interrupt.
 *
 *	OTG_FS	CN13, the PHY on the chip; PA11 D-, PA12 D+
 *	OTG_HS	CN12, a USB3320C on the ULPI bus, which gives the 60 MHz clock; its reset
 *		is not on a pin, the block resets it over the bus
 */
#include "otg.h"

#ifdef OTG_HIGH_SPEED
static const struct pin otg_pins[] = {
	{ GPIO_A, 5 },	/* CLK */
	{ GPIO_A, 3 },	/* D0 to D7 */
	{ GPIO_B, 0 },	{ GPIO_B, 1 },	{ GPIO_B, 10 }, { GPIO_B, 11 },
	{ GPIO_B, 12 }, { GPIO_B, 13 }, { GPIO_B, 5 },
	{ GPIO_C, 0 },	/* STP */
	{ GPIO_C, 2 },	/* DIR */
	{ GPIO_H, 4 },	/* NXT */
};

static void otg_clock(void)
{
	RCC_AHB1ENR |= RCC_AHB1_OTGHS | RCC_AHB1_OTGHSULPI;
	(void)RCC_AHB1ENR;
	RCC_AHB1RSTR |= RCC_AHB1_OTGHS;
	RCC_AHB1RSTR &= ~RCC_AHB1_OTGHS;
	(void)RCC_AHB1RSTR;
}
#else
static const struct pin otg_pins[] = {
	{ GPIO_A, 11 },
	{ GPIO_A, 12 },
};

static void otg_clock(void)
{
	RCC_AHB2ENR |= RCC_AHB2_OTGFS;
	(void)RCC_AHB2ENR;
	RCC_AHB2RSTR |= RCC_AHB2_OTGFS;
	RCC_AHB2RSTR &= ~RCC_AHB2_OTGFS;
	(void)RCC_AHB2RSTR;
}
#endif

void otg_board_init(void)
{
	pins_init(otg_pins, sizeof(otg_pins) / sizeof(otg_pins[0]), GPIO_AF_OTG);
	otg_clock();
}

void otg_board_interrupt(void)
{
	NVIC_ISER(OTG_IRQ) = 1u << OTG_IRQ % 32;
}
