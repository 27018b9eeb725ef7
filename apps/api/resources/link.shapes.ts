import { IntersectionType } from '@nestjs/swagger';
import type { Permissions as AllPermissions, Relationship } from '../../../libs/domain/client-link/client-link.events.js';
import { IsFlag, IsId, IsNested, IsOneOf, IsText, type FieldOptions } from '../validation/fields.js';
import { Answered, Changed, Versioned } from './answered.js';
import { PageOf } from './paging.js';

export const MOST_SHOWN = 100; // linked clients beside something else

const RELATIONSHIPS: Relationship[] = ['parent', 'child', 'partner', 'guardian', 'sibling', 'grandparent', 'other'];

/** G2: what one client lets the other do; in a body, what is not said stays away, or as it is. */
const PermissionFields = (how: Pick<FieldOptions, 'optional'> = {}) => {
  class Fields implements AllPermissions {
    @IsFlag({ ...how, description: 'book and cancel for them, and see their appointments' })
    bookAndManageAppointments: boolean;

    @IsFlag(how)
    completeIntakeForms: boolean;

    @IsFlag(how)
    receiveNotificationCopies: boolean;

    @IsFlag({ ...how, description: 'use sessions of all their packages' })
    usePackages: boolean;
  }
  return Fields;
};

class Permissions extends PermissionFields() {}
class PermissionsBody extends PermissionFields({ optional: true }) {}

/** G1: what is said of a link, as the client of the address sees it. */
const LinkFields = (how: Pick<FieldOptions, 'optional'> = {}) => {
  class Fields {
    @IsOneOf(RELATIONSHIPS, { ...how, description: 'what the other client is to this one' })
    relationship: Relationship;

    @IsOneOf(RELATIONSHIPS, { optional: true, description: 'what this client is to the other one; at linking, the inverse unless told' })
    otherRelationship?: Relationship;

    @IsNested(PermissionsBody, { optional: true, description: 'what this client lets the other one do' })
    gives?: PermissionsBody;

    @IsNested(PermissionsBody, { optional: true, description: 'what the other client lets this one do' })
    gets?: PermissionsBody;
  }
  return Fields;
};

export class LinkBody extends LinkFields() {}
export class ChangeLinkBody extends LinkFields({ optional: true }) {}

class Pair {
  @IsId()
  clientId: string;

  @IsId()
  otherClientId: string;
}

export class Link extends Pair {
  @IsOneOf(RELATIONSHIPS, { description: 'what the other client is to this one' })
  relationship: Relationship;

  @IsOneOf(RELATIONSHIPS, { description: 'what this client is to the other one' })
  otherRelationship: Relationship;

  @IsNested(Permissions, { description: 'what this client lets the other one do' })
  gives: Permissions;

  @IsNested(Permissions, { description: 'what the other client lets this one do' })
  gets: Permissions;
}

class OtherName {
  @IsText({ min: 0, max: 200, description: 'of the other client' })
  otherName: string;
}

export class LinkAnswer extends IntersectionType(Link, Changed) {}
export class UnlinkAnswer extends IntersectionType(Pair, Answered) {}
export class LinkRead extends IntersectionType(Link, OtherName, Versioned) {}
export class LinkPage extends PageOf(LinkRead) {}

/** Another client, as the one who is asked about sees them. */
export class LinkedClient {
  @IsId()
  clientId: string;

  @IsText({ min: 0, max: 200 })
  name: string;

  @IsOneOf(RELATIONSHIPS, { description: 'what they are to the client who is asked about' })
  relationship: Relationship;
}

class Reachable {
  @IsText({ max: 254, nullable: true })
  email: string | null;
}

export class LinkedContact extends IntersectionType(LinkedClient, Reachable) {}
export class LinkedContactPage extends PageOf(LinkedContact) {}

/** G4 */
export class Sharing {
  @IsNested(LinkedClient, { list: { max: MOST_SHOWN }, description: `the clients whom the owner lets use it, ${MOST_SHOWN} at most` })
  sharedWith: LinkedClient[];

  @IsNested(LinkedClient, { nullable: true, description: 'the owner, where it is shown to a client whom they let use it' })
  sharedBy: LinkedClient | null;
}

/** G5: an address to which an invoice can be mailed, and why. */
class MailAddress {
  @IsId()
  clientId: string;

  @IsText({ min: 0, max: 200 })
  name: string;

  @IsText({ max: 254 })
  email: string;

  @IsOneOf(['client', 'notificationCopies'], {
    description: 'the client of the invoice, or one who receives copies of their notifications',
  })
  because: 'client' | 'notificationCopies';
}

export class MailTo {
  @IsNested(MailAddress, { list: { max: MOST_SHOWN }, description: 'the client first; those without an address are left out' })
  addresses: MailAddress[];
}
