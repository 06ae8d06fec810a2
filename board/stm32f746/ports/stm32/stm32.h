/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The registers of the STM32F746 that this port needs, beside the OTG's: addresses and
 * bits as the reference manual (RM0385) and the processor's (PM0253) give them.
 */
#ifndef STM32_H
#define STM32_H

#include <stdint.h>

#define REG(address)		(*(volatile uint32_t *)(address))

/* -- buses' clocks and resets ------------------------------------------------------------ */

#define RCC_BASE		0x40023800u
#define RCC_CR			REG(RCC_BASE + 0x00)
#define RCC_CR_HSEON		(1u << 16)
#define RCC_CR_HSERDY		(1u << 17)
#define RCC_CR_PLLON		(1u << 24)
#define RCC_CR_PLLRDY		(1u << 25)
#define RCC_PLLCFGR		REG(RCC_BASE + 0x04)
#define RCC_PLLCFGR_M(n)	((n) << 0)
#define RCC_PLLCFGR_N(n)	((n) << 6)
#define RCC_PLLCFGR_P2		(0u << 16)
#define RCC_PLLCFGR_HSE		(1u << 22)
#define RCC_PLLCFGR_Q(n)	((n) << 24)
#define RCC_CFGR		REG(RCC_BASE + 0x08)
#define RCC_CFGR_SW_PLL		(2u << 0)
#define RCC_CFGR_SWS_MASK	(3u << 2)
#define RCC_CFGR_SWS_PLL	(2u << 2)
#define RCC_CFGR_PPRE1_4	(5u << 10)
#define RCC_CFGR_PPRE2_2	(4u << 13)
#define RCC_AHB1RSTR		REG(RCC_BASE + 0x10)
#define RCC_AHB2RSTR		REG(RCC_BASE + 0x14)
#define RCC_AHB1ENR		REG(RCC_BASE + 0x30)
#define RCC_AHB1_GPIO(port)	(1u << (port))
#define RCC_AHB1_OTGHS		(1u << 29)
#define RCC_AHB1_OTGHSULPI	(1u << 30)
#define RCC_AHB2ENR		REG(RCC_BASE + 0x34)
#define RCC_AHB2_OTGFS		(1u << 7)
#define RCC_APB1ENR		REG(RCC_BASE + 0x40)
#define RCC_APB1_PWR		(1u << 28)
#define RCC_APB2ENR		REG(RCC_BASE + 0x44)
#define RCC_APB2_USART1		(1u << 4)

#define PWR_CR1			REG(0x40007000u)
#define PWR_CR1_VOS_SCALE1	(3u << 14)
#define PWR_CR1_ODEN		(1u << 16)
#define PWR_CR1_ODSWEN		(1u << 17)
#define PWR_CSR1		REG(0x40007004u)
#define PWR_CSR1_ODRDY		(1u << 16)
#define PWR_CSR1_ODSWRDY	(1u << 17)

#define FLASH_ACR		REG(0x40023c00u)
#define FLASH_ACR_LATENCY_MASK	(0xfu << 0)
#define FLASH_ACR_LATENCY(n)	((n) << 0)

/* -- pins --------------------------------------------------------------------------------- */

enum gpio_port {
	GPIO_A,
	GPIO_B,
	GPIO_C,
	GPIO_H = 7,
};

#define GPIO_BASE(port)		(0x40020000u + 0x400u * (port))
#define GPIO_MODER(port)	REG(GPIO_BASE(port) + 0x00)
#define GPIO_OSPEEDR(port)	REG(GPIO_BASE(port) + 0x08)
#define GPIO_AFR(port, pin)	REG(GPIO_BASE(port) + 0x20 + 4 * ((pin) / 8))
#define GPIO_AF_USART1		7u
#define GPIO_AF_OTG		10u

/* -- console ------------------------------------------------------------------------------ */

#define USART1_BASE		0x40011000u
#define USART1_CR1		REG(USART1_BASE + 0x00)
#define USART_CR1_UE		(1u << 0)
#define USART_CR1_TE		(1u << 3)
#define USART1_BRR		REG(USART1_BASE + 0x0c)
#define USART1_ISR		REG(USART1_BASE + 0x1c)
#define USART_ISR_TXE		(1u << 7)
#define USART1_TDR		REG(USART1_BASE + 0x28)

/* -- OTG: see otg_regs.h ------------------------------------------------------------------- */

#define OTG_FS_BASE		0x50000000u
#define OTG_FS_IRQ		67
#define OTG_HS_BASE		0x40040000u
#define OTG_HS_IRQ		77
#ifdef OTG_HIGH_SPEED
#define OTG_IRQ			OTG_HS_IRQ
#else
#define OTG_IRQ			OTG_FS_IRQ
#endif

/* -- the processor -------------------------------------------------------------------------- */

#define IRQS			98

#define SYST_CSR		REG(0xe000e010u)
#define SYST_CSR_ENABLE		(1u << 0)
#define SYST_CSR_TICKINT	(1u << 1)
#define SYST_CSR_CPU		(1u << 2)
#define SYST_RVR		REG(0xe000e014u)
#define SYST_CVR		REG(0xe000e018u)
#define NVIC_ISER(irq)		REG(0xe000e100u + 4 * ((irq) / 32))
#define SCB_ICSR		REG(0xe000ed04u)
#define SCB_VTOR		REG(0xe000ed08u)
#define SCB_CCR			REG(0xe000ed14u)
#define SCB_CCR_DIV_0_TRP	(1u << 4)
#define SCB_CCR_DC		(1u << 16)
#define SCB_CCR_IC		(1u << 17)
#define SCB_SHCSR		REG(0xe000ed24u)
/* Memory, bus and usage faults as such, not as hard faults */
#define SCB_SHCSR_FAULTS	(7u << 16)
#define SCB_CFSR		REG(0xe000ed28u)
#define SCB_HFSR		REG(0xe000ed2cu)
#define SCB_MMFAR		REG(0xe000ed34u)
#define SCB_BFAR		REG(0xe000ed38u)
#define SCB_CCSIDR		REG(0xe000ed80u)
#define SCB_CSSELR		REG(0xe000ed84u)
#define SCB_ICIALLU		REG(0xe000ef50u)
#define SCB_DCISW		REG(0xe000ef60u)

#define MPU_CTRL		REG(0xe000ed94u)
#define MPU_CTRL_ENABLE		(1u << 0)
#define MPU_CTRL_PRIVDEFENA	(1u << 2)
#define MPU_RBAR		REG(0xe000ed9cu)
#define MPU_RBAR_VALID		(1u << 4)
#define MPU_RASR		REG(0xe000eda0u)
#define MPU_RASR_ENABLE		(1u << 0)
#define MPU_RASR_SIZE(log2)	(((log2) - 1u) << 1)
#define MPU_RASR_XN		(1u << 28)

static inline void cpu_barrier(void)
{
	__asm__ volatile("dsb\n\tisb" : : : "memory");
}

static inline void cpu_interrupts_off(void)
{
	__asm__ volatile("cpsid i" : : : "memory");
}

static inline void cpu_interrupts_on(void)
{
	__asm__ volatile("cpsie i" : : : "memory");
}

static inline void cpu_wait(void)
{
	__asm__ volatile("dsb\n\twfi" : : : "memory");
}

/* -- of this port --------------------------------------------------------------------------- */

/* Processor, and the bus that USART1 is on */
#define CPU_HZ			216000000u
#define APB2_HZ			108000000u

/* Gives pins to a peripheral, at the highest slew rate. */
struct pin {
	uint8_t port;
	uint8_t pin;
};

void pins_init(const struct pin *pins, unsigned int n, unsigned int function);
void clock_init(void);
void console_init(void);
void systick_interrupt(void);
void fault(const uint32_t *frame, uint32_t exception);
int main(void);

#endif /* STM32_H */
