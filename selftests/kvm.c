// SPDX-License-Identifier: GPL-2.0
/*
 * A process whose memory a second page table maps, as a virtual machine's
 * monitor has: the guest could store to a lent page past ours, so everything is
 * copied while the machine exists.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "sl_variants.h"

#define OLD 1
#define NEW 2

FIXTURE(kvm)
{
	struct sl_pair p;
	struct sl_buf b;
	int kvm;
};

FIXTURE_VARIANT(kvm)
{
	SL_AXES;
};

SL_VARIANT(kvm, v4_64k, AF_INET, 64 * SL_KIB, 0, false);
SL_VARIANT(kvm, v6_1m_unaligned_nonblock, AF_INET6, SL_MIB, SL_OFFSET, true);

FIXTURE_SETUP(kvm)
{
	if (system("modprobe -q kvm_amd || modprobe -q kvm_intel"))
		SKIP(return, "no KVM on this processor");
	self->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (self->kvm < 0)
		SKIP(return, "no /dev/kvm");
	ASSERT_EQ(0, sl_pair(&self->p, variant->family));
	ASSERT_EQ(0, sl_nonblock(self->p.tx, variant->nonblock));
	ASSERT_EQ(0, sl_buf_map(&self->b, variant->len, variant->offset, OLD));
}

FIXTURE_TEARDOWN(kvm)
{
	close(self->kvm);
	sl_pair_close(&self->p);
	sl_buf_unmap(&self->b);
}

TEST_F(kvm, copies_while_there_is_a_guest)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = self->b.map_len,
		.userspace_addr = (uintptr_t)self->b.map,
	};
	size_t whole = sl_whole(self->b.data, self->b.len);
	struct sl_counters before;
	int vm;

	/* Before: lent */
	ASSERT_EQ(self->b.len, send(self->p.tx, self->b.data, self->b.len, 0));
	EXPECT_LENT(self->p.tx, whole);
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, OLD));

	vm = ioctl(self->kvm, KVM_CREATE_VM, 0);
	ASSERT_LE(0, vm);
	ASSERT_EQ(0, ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region));
	sl_count(&before);
	ASSERT_EQ(self->b.len, send(self->p.tx, self->b.data, self->b.len, 0));
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, OLD));
	EXPECT_LENT(self->p.tx, whole);
	EXPECT_RISE(&before, "FbNotifier");
	close(vm);
}

TEST_HARNESS_MAIN
