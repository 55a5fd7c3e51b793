// SPDX-License-Identifier: Apache-2.0
private import CFaultDisk

/// The files of one folder on a disk that can lose power, run out of room and fail, beneath SQLite.
@safe package final class FaultDisk: Sendable {
    /// What to give SQLite as the name of its layer to the system.
    package static let fileSystem = "fault"

    // The C side locks around every access.
    private nonisolated(unsafe) let disk: OpaquePointer

    /// A disk beneath `folder`, whose files are closed, with cuts decided by `seed`. It must
    /// outlive the connections to them.
    package init(folder: String, seed: UInt64) {
        let code = dg_disk_register()
        precondition(code == 0, "the layer cannot be registered")
        unsafe disk = dg_disk_new(folder, seed)
    }

    deinit { unsafe dg_disk_free(disk) }

    /// Cuts the power `times` times, each after 1 to `span` writes and syncs. The process goes on;
    /// what the n-th cut left lies in `images/n`.
    package func cutPower(times: Int, within span: UInt64, into images: String) {
        unsafe dg_disk_cut(disk, images, Int32(times), span)
    }

    /// How many cuts there have been.
    package var cuts: Int { Int(unsafe dg_disk_cuts(disk)) }

    /// How many syncs were asked for.
    package var syncs: UInt64 { unsafe dg_disk_syncs(disk) }

    /// Bytes in all files.
    package var size: Int64 { unsafe dg_disk_size(disk) }

    /// From now on syncs are answered and not done.
    package func lieAboutSyncs() { unsafe dg_disk_lie(disk, 1) }

    /// The most bytes that all files may have; nil for no limit.
    package func limit(_ bytes: Int64?) { unsafe dg_disk_limit(disk, bytes ?? -1) }

    /// The `count`-th sync from now fails, and what it was to write is gone.
    package func failSync(_ count: Int) { unsafe dg_disk_fail_sync(disk, Int32(count)) }

    /// The `count`-th write from now fails.
    package func failWrite(_ count: Int) { unsafe dg_disk_fail_write(disk, Int32(count)) }
}
