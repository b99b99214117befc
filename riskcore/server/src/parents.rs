//! `ParentOrders`: the OMS says what each parent may amount to. Answered after the record is appended and durable.

use std::pin::Pin;

use riskcore::events::Event;
use riskcore::ids::{ClOrdId, ParentId, Ref};
use riskcore::outcome::{Outcome, Reject};
use riskcore::reasons;
use riskcore::units::Qty;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use crate::io::Cord;
use crate::plane::{Plane, Shared, durable, yield_turn};
use crate::proto;
use crate::secrets;
use crate::wire::requests::{FieldError, Problem, side};

/// Instructions in one message.
const MAX_INSTRUCTIONS: usize = 256;

/// The service of one connection.
pub struct Parents {
    plane: Shared,
    cord: Cord,
}

impl Parents {
    /// Of a plane, on a connection.
    pub fn new(plane: Shared, cord: Cord) -> Parents {
        Parents { plane, cord }
    }
}

type Answers = Pin<Box<dyn Stream<Item = Result<proto::RegisterResponse, Status>> + Send>>;

#[tonic::async_trait]
impl proto::parent_orders_server::ParentOrders for Parents {
    type RegisterStream = Answers;

    async fn register(&self, request: Request<Streaming<proto::RegisterRequest>>) -> Result<Response<Answers>, Status> {
        let (plane, cord) = (self.plane.clone(), self.cord.clone());
        let mut identified = false;
        let answers = request.into_inner().then(move |message| {
            let known = identified;
            let (plane, cord) = (plane.clone(), cord.clone());
            identified = true;
            async move {
                let message = message?;
                let (response, lsn) = {
                    let mut plane = plane.lock();
                    if !known {
                        plane.authenticate_oms(&message)?;
                        cord.identified();
                    }
                    (plane.register(message)?, plane.lsn())
                };
                durable(&plane, lsn).await;
                yield_turn().await;
                Ok(response)
            }
        });
        Ok(Response::new(Box::pin(until_error(answers))))
    }
}

/// The items up to and including the first error.
fn until_error<T>(items: impl Stream<Item = Result<T, Status>>) -> impl Stream<Item = Result<T, Status>> {
    let mut over = false;
    items.take_while(move |item| {
        let go_on = !over;
        over |= item.is_err();
        go_on
    })
}

impl Plane {
    fn authenticate_oms(&self, message: &proto::RegisterRequest) -> Result<(), Status> {
        let known = self.oms.iter().find(|(name, _)| *name == message.oms);
        let expected = known.map_or("", |(_, token)| token.as_str());
        if secrets::equal(message.token.as_bytes(), expected.as_bytes()) && !expected.is_empty() {
            return Ok(());
        }
        Err(Status::unauthenticated("oms: no order management system has this name and token"))
    }

    fn register(&mut self, message: proto::RegisterRequest) -> Result<proto::RegisterResponse, Status> {
        if message.instructions.len() > MAX_INSTRUCTIONS {
            return Err(Status::invalid_argument("instructions: at most 256 in one message"));
        }
        let results = message.instructions.into_iter().map(|instruction| self.instruct(instruction)).collect();
        Ok(proto::RegisterResponse { results })
    }

    fn instruct(&mut self, instruction: proto::ParentInstruction) -> proto::ParentResult {
        let request_id = instruction.request_id;
        let outcome = match self.parent_event(instruction) {
            Ok(event) => self.apply(&event),
            Err(error) => return self.parent_refused(request_id, Reject::plain(&reasons::MALFORMED), Some(error)),
        };
        match outcome {
            Outcome::Parent(id) => self.parent_result(request_id, id),
            Outcome::Refused(reject) | Outcome::Rejected(reject) => self.parent_refused(request_id, reject, None),
            _ => self.parent_refused(request_id, Reject::plain(&reasons::MALFORMED), None),
        }
    }

    fn parent_event(&self, instruction: proto::ParentInstruction) -> Result<Event, FieldError> {
        use proto::parent_instruction::Body;
        match instruction.body {
            None => Err(FieldError { field: "body", problem: Problem::Missing }),
            Some(Body::Open(open)) => self.parent_open(&open),
            Some(Body::Amend(amend)) => {
                let parent = self.known_parent(&amend.parent_cl_ord_id)?;
                Ok(Event::ParentAmend { parent, qty: Qty(amend.order_qty) })
            }
            Some(Body::Close(close)) => Ok(Event::ParentClose { parent: self.known_parent(&close.parent_cl_ord_id)? }),
        }
    }

    fn parent_open(&self, open: &proto::ParentOrder) -> Result<Event, FieldError> {
        let unknown = |field, name: &str| {
            let problem = if name.is_empty() { Problem::Missing } else { Problem::NotConfigured };
            FieldError { field, problem }
        };
        let names = self.names();
        Ok(Event::ParentOpen {
            name: parent_name(&open.parent_cl_ord_id)?,
            account: names.account(&open.account).known().ok_or_else(|| unknown("account", &open.account))?,
            symbol: names.symbol(&open.symbol).known().ok_or_else(|| unknown("symbol", &open.symbol))?,
            side: match open.side {
                0 => return Err(FieldError { field: "side", problem: Problem::Missing }),
                value => {
                    side(value as u64).ok_or(FieldError { field: "side", problem: Problem::Unknown(value as u64) })?
                }
            },
            qty: Qty(open.order_qty),
        })
    }

    fn known_parent(&self, name: &str) -> Result<ParentId, FieldError> {
        parent_name(name)?;
        match self.engine.parent(name.as_bytes()) {
            Ref::Known(parent) => Ok(parent),
            Ref::Absent | Ref::Unknown => {
                Err(FieldError { field: "parent_cl_ord_id", problem: Problem::NotConfigured })
            }
        }
    }

    fn parent_result(&self, request_id: u64, id: ParentId) -> proto::ParentResult {
        let parent = self.engine.state().parents.get(id);
        proto::ParentResult {
            request_id,
            accepted: true,
            reject: None,
            frozen: parent.is_some_and(|parent| parent.frozen),
            cum_qty: parent.map_or(0, |parent| parent.cum.0),
            child_leaves_qty: parent.map_or(0, |parent| parent.leaves.0),
        }
    }

    fn parent_refused(&self, request_id: u64, reject: Reject, field: Option<FieldError>) -> proto::ParentResult {
        let mut detail = self.reject_message(&reject);
        if let Some(field) = field {
            detail.value = field.to_string();
            detail.unit = "field".to_owned();
        }
        proto::ParentResult { request_id, accepted: false, reject: Some(detail), ..proto::ParentResult::default() }
    }
}

fn parent_name(name: &str) -> Result<ClOrdId, FieldError> {
    let problem = if name.is_empty() { Problem::Missing } else { Problem::NotAnId };
    ClOrdId::new(name.as_bytes()).ok_or(FieldError { field: "parent_cl_ord_id", problem })
}
