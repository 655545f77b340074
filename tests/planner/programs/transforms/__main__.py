"""Changes what it registers by transforms: of the stack, of a component, of a resource."""

import pulumi


def label(key: str):
    def add(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
        return pulumi.ResourceTransformResult(props={**args.props, key: args.name}, opts=args.opts)

    return add


def protect(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    if args.type_ != "test:index:Part":
        return None
    args.opts.protect = True
    return pulumi.ResourceTransformResult(props=args.props, opts=args.opts)


pulumi.runtime.register_resource_transform(protect)
group = pulumi.ComponentResource("test:index:Group", "group", opts=pulumi.ResourceOptions(transforms=[label("group")]))
pulumi.ComponentResource(
    "test:index:Part",
    "part",
    {"size": 3, "key": pulumi.Output.secret("hunter2")},
    opts=pulumi.ResourceOptions(parent=group, transforms=[label("own")]),
)
