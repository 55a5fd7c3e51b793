// SPDX-License-Identifier: Apache-2.0
import Bytes
import CNghttp2

/// The border to the library: how a session is set up, and callbacks that do nothing but name the
/// session's method.
enum NGHTTP2 {
    /// A new session with our options; its user data is still to be set.
    static func makeSession(_ role: HTTP2Session.Role, _ limits: HTTP2Limits) -> OpaquePointer {
        var callbacks: OpaquePointer?
        var option: OpaquePointer?
        var session: OpaquePointer?
        let results = unsafe [
            nghttp2_session_callbacks_new(&callbacks), nghttp2_option_new(&option),
        ]
        invariant(results.allSatisfy { $0 == 0 }, "no memory for an HTTP/2 session")
        defer {
            unsafe nghttp2_session_callbacks_del(callbacks)
            unsafe nghttp2_option_del(option)
        }
        if let callbacks = unsafe callbacks { unsafe set(callbacks) }
        if let option = unsafe option { unsafe set(option, limits) }
        let result =
            role == .server
            ? unsafe nghttp2_session_server_new2(&session, callbacks, nil, option)
            : unsafe nghttp2_session_client_new2(&session, callbacks, nil, option)
        guard result == 0, let session = unsafe session else {
            fatalError("no memory for an HTTP/2 session")
        }
        return unsafe session
    }

    private static func set(_ option: OpaquePointer, _ limits: HTTP2Limits) {
        // Windows are given back by `consume` alone.
        unsafe nghttp2_option_set_no_auto_window_update(option, 1)
        unsafe nghttp2_option_set_max_outbound_ack(option, limits.outboundControlFrames)
        unsafe nghttp2_option_set_max_settings(option, limits.settingsEntries)
        unsafe nghttp2_option_set_no_closed_streams(option, 1)
        unsafe nghttp2_option_set_max_deflate_dynamic_table_size(option, 4_096)
        // FrameGuard counts these two with the clock that it is given; the library's own
        // limits read the machine's clock, or count pieces, and are moved out of the way.
        unsafe nghttp2_option_set_stream_reset_rate_limit(option, 1 << 32, 1 << 32)
        unsafe nghttp2_option_set_max_continuations(option, 1 << 16)
    }

    /// The source of a body: the queue of the stream that the library names.
    static func bodyProvider() -> nghttp2_data_provider {
        unsafe nghttp2_data_provider(
            source: nghttp2_data_source(ptr: nil),
            read_callback: { _, stream, buffer, length, flags, _, user in
                guard let buffer = unsafe buffer, let flags = unsafe flags else {
                    return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
                }
                return unsafe NGHTTP2.owner(user).readBody(
                    of: HTTP2StreamID(stream), into: buffer, atMost: length, flags: flags)
            })
    }

    private static func set(_ callbacks: OpaquePointer) {
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) {
            _, frame, user in
            guard let frame = unsafe frame else { return 0 }
            unsafe NGHTTP2.owner(user).didBeginHeaders(
                on: HTTP2StreamID(frame.pointee.hd.stream_id),
                isRequest: frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, _, name, nameLength, value, valueLength, _, user in
            unsafe NGHTTP2.owner(user).didReceiveField(
                name: UnsafeBufferPointer(start: name, count: nameLength),
                value: UnsafeBufferPointer(start: value, count: valueLength))
        }
        // Without this the library drops a field with CR, LF or NUL and serves the rest.
        unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks) {
            _, _, _, _, _, _, _, _ in
            NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            _, _, stream, bytes, count, user in
            unsafe NGHTTP2.owner(user).didReceiveData(
                UnsafeBufferPointer(start: bytes, count: count), on: HTTP2StreamID(stream))
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) {
            _, frame, user in
            if let frame = unsafe frame { unsafe NGHTTP2.didReceive(frame, NGHTTP2.owner(user)) }
            return unsafe NGHTTP2.owner(user).goOn
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) {
            _, frame, error, user in
            if let frame = unsafe frame {
                unsafe NGHTTP2.owner(user).didReceiveInvalidFrame(frame.pointee.hd, error)
            }
            return unsafe NGHTTP2.owner(user).goOn
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) {
            _, stream, code, user in
            unsafe NGHTTP2.owner(user).didCloseStream(
                HTTP2StreamID(stream), HTTP2ErrorCode(rawValue: code))
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) {
            _, frame, user in
            if let frame = unsafe frame { unsafe NGHTTP2.owner(user).didSend(frame.pointee) }
            return 0
        }
    }

    private static func didReceive(
        _ frame: UnsafePointer<nghttp2_frame>, _ session: HTTP2Session
    ) {
        let head = unsafe frame.pointee.hd
        let isAck = head.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
        switch head.type {
        case FrameHead.data: session.didReceiveDataFrame(unsafe frame.pointee.data)
        case FrameHead.headers: session.didReceiveHeaders(head)
        case FrameHead.resetStream: session.didReceiveReset(of: HTTP2StreamID(head.stream_id))
        case FrameHead.settings: session.didReceiveSettings(isAck: isAck)
        case FrameHead.goAway:
            let goAway = unsafe frame.pointee.goaway
            unsafe session.didReceiveGoAway(
                last: HTTP2StreamID(goAway.last_stream_id),
                HTTP2ErrorCode(rawValue: goAway.error_code))
        case FrameHead.windowUpdate: session.didReceiveWindowUpdate(head.stream_id)
        case FrameHead.ping where isAck:
            session.didReceivePong(unsafe frame.pointee.ping.opaque_data)
        default: break
        }
    }

    private static func owner(_ user: UnsafeMutableRawPointer?) -> HTTP2Session {
        guard let user = unsafe user else { fatalError("a callback without its session") }
        return unsafe Unmanaged<HTTP2Session>.fromOpaque(user).takeUnretainedValue()
    }
}

extension HTTP2Session {
    /// Our SETTINGS, and the connection's window, which SETTINGS cannot set.
    func submitSettings() {
        var entries = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue),
                value: role == .server ? UInt32(limits.concurrentStreams) : 0),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue),
                value: UInt32(limits.streamWindow)),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
                value: UInt32(limits.headerListSize)),
        ]
        // No tree of priorities (CVE-2019-9513); no pushes.
        entries.append(
            role == .server
                ? nghttp2_settings_entry(
                    settings_id: Int32(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES.rawValue), value: 1)
                : nghttp2_settings_entry(
                    settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0))
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        check(unsafe nghttp2_submit_settings(raw, none, entries, entries.count))
        check(
            unsafe nghttp2_session_set_local_window_size(
                raw, none, 0, Int32(limits.connectionWindow)))
    }
}
