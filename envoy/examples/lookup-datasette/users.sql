create table users (
    id            text primary key,
    username      text unique,
    email         text unique,
    password_hash text not null,
    status        text not null,
    display_name  text
);
insert into users values
    ('7f5e', 'alice', 'alice@example.com', '$argon2id$v=19$m=19456,t=2,p=1$Restpap8prEIxeB8Sbcxeg$Ty+4VRBlg6ux59wYjgomjed4mwuZPDR63PzUiZFlGV4', 'active', 'Alice'),
    ('a1c0', 'bob', 'bob@example.com', '$argon2id$v=19$m=19456,t=2,p=1$dO2KM7WJI2a1RM4WCbsq6g$Cn43xZqQQYHkePow0uA6VF2UaR0Sc6oB7bmWroP4nhc', 'locked', 'Bob');
