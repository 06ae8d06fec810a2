/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The OTG block's registers, in device mode: offsets and bits as the reference
 * manual (RM0385, chapter 37) numbers them.  OTG_FS and OTG_HS have the same ones.
 */
#ifndef STM32_OTG_REGS_H
#define STM32_OTG_REGS_H

/* -- global --------------------------------------------------------------------------- */

#define GOTGCTL			0x000
#define GOTGCTL_BVALOEN		(1u << 6)
#define GOTGCTL_BVALOVAL	(1u << 7)

#define GOTGINT			0x004
#define GOTGINT_SEDET		(1u << 2)

#define GAHBCFG			0x008
#define GAHBCFG_GINTMSK		(1u << 0)

#define GUSBCFG			0x00c
#define GUSBCFG_PHYSEL		(1u << 6)
#define GUSBCFG_SRPCAP		(1u << 8)
#define GUSBCFG_HNPCAP		(1u << 9)
#define GUSBCFG_TRDT(clocks)	((clocks) << 10)
#define GUSBCFG_TRDT_MASK	(0xfu << 10)
#define GUSBCFG_ULPIFSLS	(1u << 17)
#define GUSBCFG_ULPIEVBUSD	(1u << 20)
#define GUSBCFG_ULPIEVBUSI	(1u << 21)
#define GUSBCFG_TSDPS		(1u << 22)
#define GUSBCFG_FHMOD		(1u << 29)
#define GUSBCFG_FDMOD		(1u << 30)

#define GRSTCTL			0x010
#define GRSTCTL_CSRST		(1u << 0)
#define GRSTCTL_RXFFLSH		(1u << 4)
#define GRSTCTL_TXFFLSH		(1u << 5)
#define GRSTCTL_TXFNUM(n)	((uint32_t)(n) << 6)
#define GRSTCTL_TXFNUM_GET(v)	(((v) >> 6) & 0x1f)
#define GRSTCTL_TXFNUM_ALL	0x10
#define GRSTCTL_AHBIDL		(1u << 31)

/* Both GINTSTS and GINTMSK */
#define GINTSTS			0x014
#define GINTMSK			0x018
#define GINT_CMOD		(1u << 0)
#define GINT_OTG		(1u << 2)
#define GINT_RXFLVL		(1u << 4)
#define GINT_GONAKEFF		(1u << 7)
#define GINT_USBSUSP		(1u << 11)
#define GINT_USBRST		(1u << 12)
#define GINT_ENUMDNE		(1u << 13)
#define GINT_IEPINT		(1u << 18)
#define GINT_OEPINT		(1u << 19)
#define GINT_WKUP		(1u << 31)
/* Of GINTSTS: what is cleared by writing 1 */
#define GINTSTS_W1C		0xf0f0fc0au

/* The entry at the head of the receive FIFO: shown, and shown and taken */
#define GRXSTSR			0x01c
#define GRXSTSP			0x020
#define GRXSTS_EPNUM(v)		((v) & 0xf)
#define GRXSTS_BCNT(v)		(((v) >> 4) & 0x7ff)
#define GRXSTS_PKTSTS(v)	(((v) >> 17) & 0xf)
#define PKTSTS_GLOBAL_NAK	1
#define PKTSTS_OUT_DATA		2
#define PKTSTS_OUT_DONE		3
#define PKTSTS_SETUP_DONE	4
#define PKTSTS_SETUP_DATA	6

#define GRXFSIZ			0x024
/* TX FIFO 0 has a register apart; start in the low half, words in the high one */
#define DIEPTXF0		0x028
#define DIEPTXF(n)		((n) ? 0x100u + 4u * (n) : DIEPTXF0)
#define GCCFG			0x038
#define GCCFG_PWRDWN		(1u << 16)
#define GCCFG_VBDEN		(1u << 21)

/* -- device --------------------------------------------------------------------------- */

#define DCFG			0x800
#define DCFG_DSPD_MASK		(3u << 0)
#define DCFG_DSPD_HIGH		(0u << 0)
#define DCFG_DSPD_FULL		(3u << 0)
#define DCFG_DAD(address)	((uint32_t)(address) << 4)
#define DCFG_DAD_MASK		(0x7fu << 4)

#define DCTL			0x804
#define DCTL_RWUSIG		(1u << 0)
#define DCTL_SDIS		(1u << 1)
#define DCTL_GINSTS		(1u << 2)
#define DCTL_GONSTS		(1u << 3)
#define DCTL_SGINAK		(1u << 7)
#define DCTL_CGINAK		(1u << 8)
#define DCTL_SGONAK		(1u << 9)
#define DCTL_CGONAK		(1u << 10)

#define DSTS			0x808
#define DSTS_SUSPSTS		(1u << 0)
#define DSTS_ENUMSPD(v)		(((v) >> 1) & 3)
#define DSTS_ENUMSPD_HIGH	0
#define DSTS_ENUMSPD_FULL	3

#define DIEPMSK			0x810
#define DOEPMSK			0x814
#define DAINT			0x818
#define DAINTMSK		0x81c
#define DAINT_IN(n)		(1u << (n))
#define DAINT_OUT(n)		(0x10000u << (n))
/* For which IN endpoints an empty FIFO interrupts */
#define DIEPEMPMSK		0x834

/* -- endpoints ------------------------------------------------------------------------ */

#define DIEPCTL(n)		(0x900u + 0x20u * (n))
#define DIEPINT(n)		(0x908u + 0x20u * (n))
#define DIEPTSIZ(n)		(0x910u + 0x20u * (n))
#define DTXFSTS(n)		(0x918u + 0x20u * (n))
#define DOEPCTL(n)		(0xb00u + 0x20u * (n))
#define DOEPINT(n)		(0xb08u + 0x20u * (n))
#define DOEPTSIZ(n)		(0xb10u + 0x20u * (n))

#define EPCTL_MPSIZ_MASK	0x7ffu
#define EPCTL_USBAEP		(1u << 15)
#define EPCTL_NAKSTS		(1u << 17)
#define EPCTL_EPTYP(type)	((uint32_t)(type) << 18)
#define EPCTL_EPTYP_MASK	(3u << 18)
#define EPCTL_STALL		(1u << 21)
#define EPCTL_TXFNUM(n)		((uint32_t)(n) << 22)
#define EPCTL_TXFNUM_GET(v)	(((v) >> 22) & 0xf)
#define EPCTL_CNAK		(1u << 26)
#define EPCTL_SNAK		(1u << 27)
#define EPCTL_SD0PID		(1u << 28)
#define EPCTL_EPDIS		(1u << 30)
#define EPCTL_EPENA		(1u << 31)

#define EPINT_XFRC		(1u << 0)
#define EPINT_EPDISD		(1u << 1)
#define DOEPINT_STUP		(1u << 3)
#define DOEPINT_STPKTRX		(1u << 15)
#define DIEPINT_INEPNE		(1u << 6)
#define DIEPINT_TXFE		(1u << 7)

#define EPTSIZ_XFRSIZ(v)	((v) & 0x7ffffu)
#define EPTSIZ_PKTCNT_SET(n)	((uint32_t)(n) << 19)
#define EPTSIZ_PKTCNT(v)	(((v) >> 19) & 0x3ff)
#define EPTSIZ_PKTCNT_MAX	0x3ffu
#define DIEPTSIZ_MULCNT(n)	((uint32_t)(n) << 29)
#define DOEPTSIZ0_STUPCNT(n)	((uint32_t)(n) << 29)

/* -- power, and the FIFOs' windows ----------------------------------------------------- */

#define PCGCCTL			0xe00
#define PCGCCTL_STPPCLK		(1u << 0)
#define PCGCCTL_GATEHCLK	(1u << 1)

#define OTG_FIFO(n)		(0x1000u * ((n) + 1u))

#endif /* STM32_OTG_REGS_H */
