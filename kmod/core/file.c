// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages of files may be lent: net.sockloan.file.
 *
 * Nobody can protect a page of the page cache against those who write to the
 * file, so what a loan of it promises depends on whether there are any.
 */
#include <linux/dax.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>

#include "sockloan.h"

/*
 * A file whose pages only those can change that have it open here: of a file
 * system on a block device, or in memory.  Others may have servers or daemons
 * that do.
 */
static bool sl_file_is_local(const struct inode *inode)
{
	const struct super_block *sb = inode->i_sb;

	if (sb->s_magic == FUSE_SUPER_MAGIC)
		return false;
	return (sb->s_type->fs_flags & FS_REQUIRES_DEV) ||
	       sb->s_magic == TMPFS_MAGIC || sb->s_magic == RAMFS_MAGIC;
}

/*
 * memfd and shared anonymous memory: on a mount of the kernel's own, and
 * writable without having been opened for writing.
 */
static bool sl_file_is_internal(const struct inode *inode)
{
	return inode->i_sb->s_flags & (SB_KERNMOUNT | SB_NOUSER);
}

/**
 * sl_file_check - may pages that a file mapping shares with the file be lent?
 * @vma: any mapping, private or shared
 * @setting: net.sockloan.file: SL_FILE_*
 *
 * Context: mmap_lock held.
 */
enum sl_reason sl_file_check(struct vm_area_struct *vma, unsigned int setting)
{
	bool shared = vma->vm_flags & (VM_SHARED | VM_MAYSHARE);
	struct inode *inode;

	if (!vma->vm_file)
		return SL_FB_FILE;
	inode = file_inode(vma->vm_file);
	if (!S_ISREG(inode->i_mode))
		return shared ? SL_FB_SHARED : SL_FB_FILE;
	/* secretmem is on such a mount as well. */
	if (sl_file_is_internal(inode) &&
	    (setting != SL_FILE_ALWAYS || inode->i_sb->s_magic != TMPFS_MAGIC))
		return shared ? SL_FB_SHARED : SL_FB_FILE;
	if (setting == SL_FILE_NEVER || vma_is_dax(vma))
		return SL_FB_FILE;
	if (setting == SL_FILE_ALWAYS)
		return SL_FB_NONE;
	/* A writable shared mapping keeps its file open for writing. */
	if (!sl_file_is_local(inode) || inode_is_open_for_write(inode))
		return SL_FB_FILE;
	return SL_FB_NONE;
}

/**
 * sl_file_page - is this folio of a mapped file in its page cache?
 * @vma: the mapping
 * @folio: not anonymous
 *
 * Not when it was truncated, or is a driver's own.
 *
 * Context: page table lock held, so that it stays mapped.
 */
enum sl_reason sl_file_page(struct vm_area_struct *vma, struct folio *folio)
{
	const struct address_space *mapping = READ_ONCE(folio->mapping);

	return mapping && mapping == vma->vm_file->f_mapping ? SL_FB_NONE :
							       SL_FB_FILE;
}
