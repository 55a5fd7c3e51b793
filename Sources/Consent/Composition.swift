// SPDX-License-Identifier: Apache-2.0

/// Unicode's canonical composition, as far as it takes to say whether a text is in Normalization
/// Form C (UAX #15): made from the Unicode 14 character database. Later versions add characters
/// but never change these, and an unassigned character is refused before it comes here.
enum Composition {
    /// Whether composing would leave the text as it is.
    static func isNormalized(_ text: String) -> Bool {
        var starter: UInt32?
        var lastClass: UInt8 = 0
        var afterStarter = false
        for scalar in text.unicodeScalars {
            if neverComposed.contains(scalar.value) { return false }
            let ordering = scalar.properties.canonicalCombiningClass.rawValue
            if ordering != 0, lastClass > ordering { return false }
            let isBlocked = ordering == 0 ? !afterStarter : lastClass == ordering
            if let starter, !isBlocked, composes(starter, scalar.value) { return false }
            if ordering == 0 {
                starter = scalar.value
                afterStarter = true
            } else {
                afterStarter = false
            }
            lastClass = ordering
        }
        return true
    }

    private static func composes(_ first: UInt32, _ second: UInt32) -> Bool {
        switch second {
        case 0x1161...0x1175: (0x1100...0x1112).contains(first)
        case 0x11A8...0x11C2: (0xAC00...0xD7A3).contains(first) && (first - 0xAC00) % 28 == 0
        default: composing[second]?.contains(first) ?? false
        }
    }

    /// Characters that never occur in the form (NFC_Quick_Check=No).
    private static let neverComposed: Set<UInt32> = {
        var set: Set<UInt32> = []
        for range in excluded.split(separator: " ") {
            let bounds = range.split(separator: "-").compactMap { UInt32($0, radix: 16) }
            guard let lower = bounds.first, let upper = bounds.last else { continue }
            set.formUnion(lower...upper)
        }
        return set
    }()

    /// The second character of each primary composite, with its first characters.
    private static let composing: [UInt32: Set<UInt32>] = {
        var table: [UInt32: Set<UInt32>] = [:]
        for row in composites.split(separator: ";") {
            let characters = row.split(separator: " ").compactMap { UInt32($0, radix: 16) }
            guard let second = characters.first else { continue }
            table[second] = Set(characters.dropFirst())
        }
        return table
    }()

    private static let excluded = """
        340-341 343-344 374 37E 387 958-95F 9DC-9DD 9DF A33 A36 A59-A5B A5E B5C-B5D F43 F4D F52 \
        F57 F5C F69 F73 F75-F76 F78 F81 F93 F9D FA2 FA7 FAC FB9 1F71 1F73 1F75 1F77 1F79 1F7B 1F7D \
        1FBB 1FBE 1FC9 1FCB 1FD3 1FDB 1FE3 1FEB 1FEE-1FEF 1FF9 1FFB 1FFD 2000-2001 2126 212A-212B \
        2329-232A 2ADC F900-FA0D FA10 FA12 FA15-FA1E FA20 FA22 FA25-FA26 FA2A-FA6D FA70-FAD9 FB1D \
        FB1F FB2A-FB36 FB38-FB3C FB3E FB40-FB41 FB43-FB44 FB46-FB4E 1D15E-1D164 1D1BB-1D1C0 \
        2F800-2FA1D
        """

    /// `second first…;` in hexadecimal.
    private static let composites = """
        300 41 45 49 4E 4F 55 57 59 61 65 69 6E 6F 75 77 79 A8 C2 CA D4 DC E2 EA F4 FC 102 103 112 \
        113 14C 14D 1A0 1A1 1AF 1B0 391 395 397 399 39F 3A5 3A9 3B1 3B5 3B7 3B9 3BF 3C5 3C9 3CA \
        3CB 415 418 435 438 1F00 1F01 1F08 1F09 1F10 1F11 1F18 1F19 1F20 1F21 1F28 1F29 1F30 1F31 \
        1F38 1F39 1F40 1F41 1F48 1F49 1F50 1F51 1F59 1F60 1F61 1F68 1F69 1FBF 1FFE; 301 41 43 45 \
        47 49 4B 4C 4D 4E 4F 50 52 53 55 57 59 5A 61 63 65 67 69 6B 6C 6D 6E 6F 70 72 73 75 77 79 \
        7A A8 C2 C5 C6 C7 CA CF D4 D5 D8 DC E2 E5 E6 E7 EA EF F4 F5 F8 FC 102 103 112 113 14C 14D \
        168 169 1A0 1A1 1AF 1B0 391 395 397 399 39F 3A5 3A9 3B1 3B5 3B7 3B9 3BF 3C5 3C9 3CA 3CB \
        3D2 413 41A 433 43A 1F00 1F01 1F08 1F09 1F10 1F11 1F18 1F19 1F20 1F21 1F28 1F29 1F30 1F31 \
        1F38 1F39 1F40 1F41 1F48 1F49 1F50 1F51 1F59 1F60 1F61 1F68 1F69 1FBF 1FFE; 302 41 43 45 \
        47 48 49 4A 4F 53 55 57 59 5A 61 63 65 67 68 69 6A 6F 73 75 77 79 7A 1EA0 1EA1 1EB8 1EB9 \
        1ECC 1ECD; 303 41 45 49 4E 4F 55 56 59 61 65 69 6E 6F 75 76 79 C2 CA D4 E2 EA F4 102 103 \
        1A0 1A1 1AF 1B0; 304 41 45 47 49 4F 55 59 61 65 67 69 6F 75 79 C4 C6 D5 D6 DC E4 E6 F5 F6 \
        FC 1EA 1EB 226 227 22E 22F 391 399 3A5 3B1 3B9 3C5 418 423 438 443 1E36 1E37 1E5A 1E5B; \
        306 41 45 47 49 4F 55 61 65 67 69 6F 75 228 229 391 399 3A5 3B1 3B9 3C5 410 415 416 418 \
        423 430 435 436 438 443 1EA0 1EA1; 307 41 42 43 44 45 46 47 48 49 4D 4E 4F 50 52 53 54 57 \
        58 59 5A 61 62 63 64 65 66 67 68 6D 6E 6F 70 72 73 74 77 78 79 7A 15A 15B 160 161 17F 1E62 \
        1E63; 308 41 45 48 49 4F 55 57 58 59 61 65 68 69 6F 74 75 77 78 79 D5 F5 16A 16B 399 3A5 \
        3B9 3C5 3D2 406 410 415 416 417 418 41E 423 427 42B 42D 430 435 436 437 438 43E 443 447 \
        44B 44D 456 4D8 4D9 4E8 4E9; 309 41 45 49 4F 55 59 61 65 69 6F 75 79 C2 CA D4 E2 EA F4 102 \
        103 1A0 1A1 1AF 1B0; 30A 41 55 61 75 77 79; 30B 4F 55 6F 75 423 443; 30C 41 43 44 45 47 48 \
        49 4B 4C 4E 4F 52 53 54 55 5A 61 63 64 65 67 68 69 6A 6B 6C 6E 6F 72 73 74 75 7A DC FC 1B7 \
        292; 30F 41 45 49 4F 52 55 61 65 69 6F 72 75 474 475; 311 41 45 49 4F 52 55 61 65 69 6F 72 \
        75; 313 391 395 397 399 39F 3A9 3B1 3B5 3B7 3B9 3BF 3C1 3C5 3C9; 314 391 395 397 399 39F \
        3A1 3A5 3A9 3B1 3B5 3B7 3B9 3BF 3C1 3C5 3C9; 31B 4F 55 6F 75; 323 41 42 44 45 48 49 4B 4C \
        4D 4E 4F 52 53 54 55 56 57 59 5A 61 62 64 65 68 69 6B 6C 6D 6E 6F 72 73 74 75 76 77 79 7A \
        1A0 1A1 1AF 1B0; 324 55 75; 325 41 61; 326 53 54 73 74; 327 43 44 45 47 48 4B 4C 4E 52 53 \
        54 63 64 65 67 68 6B 6C 6E 72 73 74; 328 41 45 49 4F 55 61 65 69 6F 75; 32D 44 45 4C 4E 54 \
        55 64 65 6C 6E 74 75; 32E 48 68; 330 45 49 55 65 69 75; 331 42 44 4B 4C 4E 52 54 5A 62 64 \
        68 6B 6C 6E 72 74 7A; 338 3C 3D 3E 2190 2192 2194 21D0 21D2 21D4 2203 2208 220B 2223 2225 \
        223C 2243 2245 2248 224D 2261 2264 2265 2272 2273 2276 2277 227A 227B 227C 227D 2282 2283 \
        2286 2287 2291 2292 22A2 22A8 22A9 22AB 22B2 22B3 22B4 22B5; 342 A8 3B1 3B7 3B9 3C5 3C9 \
        3CA 3CB 1F00 1F01 1F08 1F09 1F20 1F21 1F28 1F29 1F30 1F31 1F38 1F39 1F50 1F51 1F59 1F60 \
        1F61 1F68 1F69 1FBF 1FFE; 345 391 397 3A9 3AC 3AE 3B1 3B7 3C9 3CE 1F00 1F01 1F02 1F03 1F04 \
        1F05 1F06 1F07 1F08 1F09 1F0A 1F0B 1F0C 1F0D 1F0E 1F0F 1F20 1F21 1F22 1F23 1F24 1F25 1F26 \
        1F27 1F28 1F29 1F2A 1F2B 1F2C 1F2D 1F2E 1F2F 1F60 1F61 1F62 1F63 1F64 1F65 1F66 1F67 1F68 \
        1F69 1F6A 1F6B 1F6C 1F6D 1F6E 1F6F 1F70 1F74 1F7C 1FB6 1FC6 1FF6; 653 627; 654 627 648 64A \
        6C1 6D2 6D5; 655 627; 93C 928 930 933; 9BE 9C7; 9D7 9C7; B3E B47; B56 B47; B57 B47; BBE \
        BC6 BC7; BD7 B92 BC6; C56 C46; CC2 CC6; CD5 CBF CC6 CCA; CD6 CC6; D3E D46 D47; D57 D46; \
        DCA DD9 DDC; DCF DD9; DDF DD9; 102E 1025; 1B35 1B05 1B07 1B09 1B0B 1B0D 1B11 1B3A 1B3C \
        1B3E 1B3F 1B42; 3099 3046 304B 304D 304F 3051 3053 3055 3057 3059 305B 305D 305F 3061 3064 \
        3066 3068 306F 3072 3075 3078 307B 309D 30A6 30AB 30AD 30AF 30B1 30B3 30B5 30B7 30B9 30BB \
        30BD 30BF 30C1 30C4 30C6 30C8 30CF 30D2 30D5 30D8 30DB 30EF 30F0 30F1 30F2 30FD; 309A 306F \
        3072 3075 3078 307B 30CF 30D2 30D5 30D8 30DB; 110BA 11099 1109B 110A5; 11127 11131 11132; \
        1133E 11347; 11357 11347; 114B0 114B9; 114BA 114B9; 114BD 114B9; 115AF 115B8 115B9; 11930 \
        11935;
        """
}
