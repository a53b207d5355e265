//! The services that are used, each with its answer.

use opcua::core::{RequestMessage, ResponseMessage};
use opcua::types::{
    BrowseNextRequest, BrowseNextResponse, BrowseRequest, BrowseResponse, CallRequest, CallResponse,
    CloseSessionRequest, CloseSessionResponse, CreateMonitoredItemsRequest, CreateMonitoredItemsResponse,
    CreateSessionRequest, CreateSessionResponse, CreateSubscriptionRequest, CreateSubscriptionResponse,
    DeleteMonitoredItemsRequest, DeleteMonitoredItemsResponse, FindServersRequest, FindServersResponse,
    GetEndpointsRequest, GetEndpointsResponse, PublishRequest, PublishResponse, ReadRequest, ReadResponse,
    RequestHeader, WriteRequest, WriteResponse,
};

/// A question to a server.
pub(crate) trait Service: Into<RequestMessage> + Send {
    type Answer: Send;

    /// Where the session and the deadline are put.
    fn header(&mut self) -> &mut RequestHeader;

    /// The answer, if this is one to such a question.
    fn answer(message: ResponseMessage) -> Option<Self::Answer>;
}

macro_rules! services {
    ($($name:ident: $request:ty => $response:ty;)*) => {
        $(impl Service for $request {
            type Answer = $response;

            fn header(&mut self) -> &mut RequestHeader {
                &mut self.request_header
            }

            fn answer(message: ResponseMessage) -> Option<$response> {
                match message {
                    ResponseMessage::$name(answer) => Some(*answer),
                    _ => None,
                }
            }
        })*
    };
}

services! {
    Browse: BrowseRequest => BrowseResponse;
    BrowseNext: BrowseNextRequest => BrowseNextResponse;
    Call: CallRequest => CallResponse;
    CloseSession: CloseSessionRequest => CloseSessionResponse;
    CreateMonitoredItems: CreateMonitoredItemsRequest => CreateMonitoredItemsResponse;
    CreateSession: CreateSessionRequest => CreateSessionResponse;
    CreateSubscription: CreateSubscriptionRequest => CreateSubscriptionResponse;
    DeleteMonitoredItems: DeleteMonitoredItemsRequest => DeleteMonitoredItemsResponse;
    FindServers: FindServersRequest => FindServersResponse;
    GetEndpoints: GetEndpointsRequest => GetEndpointsResponse;
    Publish: PublishRequest => PublishResponse;
    Read: ReadRequest => ReadResponse;
    Write: WriteRequest => WriteResponse;
}
