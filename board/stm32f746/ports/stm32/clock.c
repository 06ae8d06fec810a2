// SPDX-License-Identifier: GPL-2.0
/* Clocks: the Discovery's 25 MHz crystal to 216 MHz, and 48 MHz for OTG_FS. */
#include "stm32.h"

/* Every one of these comes within microseconds or never; without it there is no going on. */
static void clock_wait(volatile uint32_t *reg, uint32_t mask, uint32_t value)
{
	while ((*reg & mask) != value)
		;
}

/* Above 180 MHz the core's supply needs this. */
static void clock_overdrive(void)
{
	PWR_CR1 |= PWR_CR1_ODEN;
	clock_wait(&PWR_CSR1, PWR_CSR1_ODRDY, PWR_CSR1_ODRDY);
	PWR_CR1 |= PWR_CR1_ODSWEN;
	clock_wait(&PWR_CSR1, PWR_CSR1_ODSWRDY, PWR_CSR1_ODSWRDY);
}

void clock_init(void)
{
	RCC_APB1ENR |= RCC_APB1_PWR;
	(void)RCC_APB1ENR;
	PWR_CR1 |= PWR_CR1_VOS_SCALE1;

	RCC_CR |= RCC_CR_HSEON;
	clock_wait(&RCC_CR, RCC_CR_HSERDY, RCC_CR_HSERDY);
	/* 25 / 25 * 432 = 432 MHz; / 2 for the processor, / 9 for OTG_FS */
	RCC_PLLCFGR = RCC_PLLCFGR_M(25u) | RCC_PLLCFGR_N(432u) | RCC_PLLCFGR_P2 | RCC_PLLCFGR_HSE |
		      RCC_PLLCFGR_Q(9u);
	RCC_CR |= RCC_CR_PLLON;
	clock_overdrive();
	clock_wait(&RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY);

	/*
	 * Seven wait states at 216 MHz and 3.3 V.  The flash's accelerator serves the
	 * address range at 0x00200000 only; at 0x08000000 it is the instruction cache
	 * that hides them.
	 */
	FLASH_ACR = (FLASH_ACR & ~FLASH_ACR_LATENCY_MASK) | FLASH_ACR_LATENCY(7u);
	clock_wait(&FLASH_ACR, FLASH_ACR_LATENCY_MASK, FLASH_ACR_LATENCY(7u));

	RCC_CFGR = RCC_CFGR_PPRE1_4 | RCC_CFGR_PPRE2_2;
	RCC_CFGR |= RCC_CFGR_SW_PLL;
	clock_wait(&RCC_CFGR, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL);
}

void pins_init(const struct pin *pins, unsigned int n, unsigned int function)
{
	for (; n--; pins++) {
		unsigned int two = 2u * pins->pin, four = 4u * (pins->pin % 8);

		RCC_AHB1ENR |= RCC_AHB1_GPIO(pins->port);
		(void)RCC_AHB1ENR;
		GPIO_AFR(pins->port, pins->pin) =
			(GPIO_AFR(pins->port, pins->pin) & ~(0xfu << four)) | function << four;
		GPIO_OSPEEDR(pins->port) |= 3u << two;
		GPIO_MODER(pins->port) = (GPIO_MODER(pins->port) & ~(3u << two)) | 2u << two;
	}
}
