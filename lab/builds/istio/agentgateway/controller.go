// Package agentgateway stands for istiod's controller of the same name, which is off unless PILOT_ENABLE_AGENTGATEWAY
// says otherwise, and whose interface module is not in the module proxy.
package agentgateway

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/serviceregistry/kube/controller"
	"istio.io/istio/pilot/pkg/status"
	"istio.io/istio/pilot/pkg/xds"
	"istio.io/istio/pkg/kube"
)

// Controller is never made.
type Controller struct {
	model.ConfigStoreController
	Registrations []xds.Registration
}

// NewAgwController refuses: this istiod cannot do what was asked of it.
func NewAgwController(kube.Client, func(schema.GroupVersionResource, <-chan struct{}) bool, controller.Options) *Controller {
	panic("PILOT_ENABLE_AGENTGATEWAY: the lab's istiod is built without it")
}

// Reconcile does nothing.
func (*Controller) Reconcile(*model.PushContext) {}

// SetStatusWrite does nothing.
func (*Controller) SetStatusWrite(bool, *status.Manager) {}
