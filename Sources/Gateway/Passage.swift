// SPDX-License-Identifier: Apache-2.0
import A2A
import Accounting
import Bytes
import Consent

/// One message on its way through this hop: what the steps have found out so far.
///
/// A class, because it is some kilobytes of which each step needs a little.
final class Passage {
    let request: SendMessageRequest
    let streaming: Bool
    /// The user's request at the entrance that all hops' books refer to.
    private(set) var exchange: OperationID
    var owner: Owner
    /// The task it continues; `nil` when it starts something.
    var task: TaskRecord?
    /// The next hop's ids.
    var upstreamTaskID: String?
    var upstreamContextID: String?
    var referenceTaskIDs: [String] = []
    /// What the caller's consent metadata said, checked for form only.
    var consent: ConsentMetadata?
    /// What the caller's accounting metadata said, checked for form only.
    var books: AccountingMetadata?
    /// Consent and books so far, when the agent may bind the user.
    var undertaking: Undertaking?
    /// What this hop says to the next in the message's and the request's metadata.
    var consentOut: ConsentMetadata?
    var booksOut: AccountingMetadata?
    /// The fee that the caller drew on its block here, and the one drawn on ours at the next hop.
    var drawnHere: BlockBook.Ticket?
    var drawnThere: BlockBook.Ticket?
    var duty: Duty = .relay

    /// What the consent step decided that this message is.
    enum Duty {
        /// A message for the agent, to be passed on as it is.
        case relay
        /// The user's decision on an open ask.
        case conveyConfirmation(String)
        /// An act that is to take effect here.
        case perform(PresentedAct)
    }

    init(
        request: SendMessageRequest, streaming: Bool, exchange: OperationID, owner: Owner
    ) {
        self.request = request
        self.streaming = streaming
        self.exchange = exchange
        self.owner = owner
    }

    /// The fees that its task will end with.
    var tickets: [BlockBook.Ticket] { [drawnHere, drawnThere].compactMap { $0 } }

    /// Whom it speaks for to the next hop.
    var user: String? {
        let user = undertaking.flatMap { $0.isGranted ? $0.subject : nil } ?? owner.user
        return user.isEmpty ? nil : user
    }

    /// Goes on under the name that the task began with.
    func adoptExchange(of task: TaskRecord) {
        if let begun = OperationID(task.exchange) { exchange = begun }
    }
}
